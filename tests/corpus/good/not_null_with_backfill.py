"""Filled first, NOT NULL afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "not_null_with_backfill"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("phone", sa.Text()))
    op.execute("UPDATE accounts SET phone = '' WHERE phone IS NULL")
    op.alter_column("accounts", "phone", nullable=False)


def downgrade() -> None:
    op.drop_column("accounts", "phone")
