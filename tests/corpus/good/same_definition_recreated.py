"""Dropped and made again as it was, on both ways: nothing differs.

Lost: nothing
"""

from alembic import op

revision = "same_definition_recreated"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_accounts_balance", "accounts")
    op.create_check_constraint("ck_accounts_balance", "accounts", "balance >= 0")


def downgrade() -> None:
    op.drop_constraint("ck_accounts_balance", "accounts")
    op.create_check_constraint("ck_accounts_balance", "accounts", "balance >= 0")
