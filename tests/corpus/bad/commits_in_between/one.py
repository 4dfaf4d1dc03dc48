"""`commit()` in the middle: what came before it is kept when the rest fails.

Stage: upgrade
Error: column "remarks" of relation "orders" does not exist
"""

import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))
    op.get_bind().commit()
    op.drop_column("orders", "remarks")  # here


def downgrade() -> None:
    op.drop_column("orders", "weight")
