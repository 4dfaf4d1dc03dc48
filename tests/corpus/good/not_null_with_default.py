"""A default for the rows that are there, then no default any more."""

import sqlalchemy as sa
from alembic import op

revision = "not_null_with_default"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("points", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("accounts", "points", server_default=None)


def downgrade() -> None:
    op.drop_column("accounts", "points")
