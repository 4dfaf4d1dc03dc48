"""Greater than, where it was greater than or equal.

Stage: after-downgrade
Found: constraint ck_accounts_balance ON public.accounts changed: definition
"""

from alembic import op

revision = "check_changed"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_accounts_balance", "accounts")
    op.execute("UPDATE accounts SET balance = balance + 1")


def downgrade() -> None:
    op.create_check_constraint("ck_accounts_balance", "accounts", "balance > 0")
