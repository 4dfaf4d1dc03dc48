"""Stands on it.

Result: skipped
"""

import sqlalchemy as sa
from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("baskets", "weight")


def downgrade() -> None:
    op.add_column("baskets", sa.Column("weight", sa.Integer()))
