"""The check goes with its column, and does not come back with it.

Stage: after-downgrade
Found: constraint ck_accounts_balance ON public.accounts lost
"""

import sqlalchemy as sa
from alembic import op

revision = "check_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("accounts", "balance")


def downgrade() -> None:
    op.add_column("accounts", sa.Column("balance", sa.Numeric(12, 2), server_default=sa.text("0"), nullable=False))
