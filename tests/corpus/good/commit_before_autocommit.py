"""A commit of the connection before the autocommit block: the version row has to be there all the same."""

import sqlalchemy as sa
from alembic import op

revision = "commit_before_autocommit"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))
    op.get_bind().commit()
    with op.get_context().autocommit_block():
        op.create_index("ix_orders_weight", "orders", ["weight"], postgresql_concurrently=True)


def downgrade() -> None:
    op.get_bind().commit()
    with op.get_context().autocommit_block():
        op.drop_index("ix_orders_weight", "orders", postgresql_concurrently=True)
    op.drop_column("orders", "weight")
