"""Another branch."""

import sqlalchemy as sa
from alembic import op

revision = "middle"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("middles", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("middles")
