"""Cannot be applied at all.

Stage: upgrade
Error: relation "baskets" does not exist
"""

import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("baskets", sa.Column("weight", sa.Integer()))  # here


def downgrade() -> None:
    op.drop_column("baskets", "weight")
