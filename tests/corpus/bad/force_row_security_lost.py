"""Row security held for the owner too, and does not afterwards.

Stage: after-downgrade
Found: table public.orders changed: row security of the owner
"""

from alembic import op

revision = "force_row_security_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    op.execute("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
