"""It cannot be undone, which the revision should declare: `irreversible = "..."`.

Stage: downgrade
Error: NotImplementedError
"""

from alembic import op

revision = "downgrade_raises"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("orders", "seller_id")


def downgrade() -> None:
    raise NotImplementedError("the sellers are gone")  # here
