"""Written for SQLite, and right on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

revision = "batch_alter_table"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.add_column(sa.Column("weight", sa.Integer()))
        batch.create_index("ix_orders_weight", ["weight"])


def downgrade() -> None:
    with op.batch_alter_table("orders") as batch:
        batch.drop_index("ix_orders_weight")
        batch.drop_column("weight")
