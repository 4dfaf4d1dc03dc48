"""Needs the column of the one before, and is right."""

from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_accounts_phone", "accounts", ["phone"])


def downgrade() -> None:
    op.drop_index("ix_accounts_phone", "accounts")
