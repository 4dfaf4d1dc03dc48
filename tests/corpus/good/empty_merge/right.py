"""The other branch."""

import sqlalchemy as sa
from alembic import op

revision = "right"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("height", sa.Integer()))


def downgrade() -> None:
    op.drop_column("orders", "height")
