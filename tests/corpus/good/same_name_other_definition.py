"""The constraint keeps its name, and gets its old definition back."""

from alembic import op

revision = "same_name_other_definition"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_accounts_balance", "accounts")
    op.create_check_constraint("ck_accounts_balance", "accounts", "balance > -100")


def downgrade() -> None:
    op.drop_constraint("ck_accounts_balance", "accounts")
    op.execute("UPDATE accounts SET balance = 0 WHERE balance < 0")
    op.create_check_constraint("ck_accounts_balance", "accounts", "balance >= 0")
