"""Added again without a scan, and never validated.

Stage: after-downgrade
Found: constraint ck_accounts_balance ON public.accounts changed: valid
"""

from alembic import op

revision = "constraint_left_not_valid"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("ck_accounts_balance", "accounts")


def downgrade() -> None:
    op.execute("ALTER TABLE accounts ADD CONSTRAINT ck_accounts_balance CHECK (balance >= 0) NOT VALID")
