"""Numbers were handed out by the hundred.

Stage: after-downgrade
Found: sequence public.batch_number changed: increment
"""

from alembic import op

revision = "sequence_increment_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE SEQUENCE batch_number INCREMENT 100 CACHE 10;
"""


def upgrade() -> None:
    op.execute("ALTER SEQUENCE batch_number INCREMENT 1")


def downgrade() -> None:
    op.execute("ALTER SEQUENCE batch_number RESTART")
