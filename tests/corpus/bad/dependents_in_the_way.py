"""The view has to go before the column that it reads.

Stage: downgrade
Error: view heavy_orders depends on column weight of table orders
"""

import sqlalchemy as sa
from alembic import op

revision = "dependents_in_the_way"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))
    op.execute("CREATE VIEW heavy_orders AS SELECT id FROM orders WHERE weight > 100")


def downgrade() -> None:
    op.drop_column("orders", "weight")  # here
    op.execute("DROP VIEW heavy_orders")
