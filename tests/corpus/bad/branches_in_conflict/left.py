"""The one that comes second, in Alembic's order, fails.

Stage: upgrade
Error: column "weight" of relation "orders" already exists
"""

import sqlalchemy as sa
from alembic import op

revision = "left"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))  # here


def downgrade() -> None:
    op.drop_column("orders", "weight")
