"""Makes what is not there and drops what is: by the inspector."""

import sqlalchemy as sa
from alembic import op

revision = "asks_before_it_acts"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("tags"):
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("tags"):
        op.drop_table("tags")
