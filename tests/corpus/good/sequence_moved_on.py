"""Where a sequence stands is data.

Lost: nothing
"""

from alembic import op

revision = "sequence_moved_on"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE SEQUENCE invoice_number;
"""


def upgrade() -> None:
    op.execute("SELECT setval('invoice_number', 5000)")


def downgrade() -> None:
    pass
