"""Fails where there are rows; without them it can be built upon.

Stage: rows
Error: column "phone" of relation "accounts" contains null values
"""

import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("phone", sa.Text(), nullable=False))  # here


def downgrade() -> None:
    op.drop_column("accounts", "phone")
