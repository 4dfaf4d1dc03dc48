"""The column has had another name since an older revision.

Stage: upgrade
Error: column "remarks" of relation "orders" does not exist
"""

from alembic import op

revision = "column_not_there"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET remarks = ''")  # here


def downgrade() -> None:
    pass
