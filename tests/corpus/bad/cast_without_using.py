"""No cast from text to integer is made by itself.

Stage: upgrade
Error: column "note" cannot be cast automatically to type integer
"""

import sqlalchemy as sa
from alembic import op

revision = "cast_without_using"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "note", type_=sa.Integer(), existing_type=sa.Text())  # here


def downgrade() -> None:
    op.alter_column("orders", "note", type_=sa.Text(), existing_type=sa.Integer())
