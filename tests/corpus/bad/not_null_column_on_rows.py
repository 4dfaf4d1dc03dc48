"""The commonest failure in production: a new column NOT NULL without a default, on a table that has rows.

Stage: rows
Error: column "phone" of relation "accounts" contains null values
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_column_on_rows"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("phone", sa.Text(), nullable=False))  # here


def downgrade() -> None:
    op.drop_column("accounts", "phone")
