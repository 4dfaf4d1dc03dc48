"""To text goes by itself, back to integer does not, not even in an empty table.

Stage: downgrade
Error: column "number" cannot be cast automatically to type integer
"""

import sqlalchemy as sa
from alembic import op

revision = "cast_without_using_down"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "number", type_=sa.Text(), existing_type=sa.Integer())


def downgrade() -> None:
    op.alter_column("orders", "number", type_=sa.Integer(), existing_type=sa.Text())  # here
