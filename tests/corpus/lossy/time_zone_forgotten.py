"""Dates for times of day.

Lost: public.accounts.created_at
"""

import sqlalchemy as sa
from alembic import op

revision = "time_zone_forgotten"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_accounts_active", "accounts")
    op.alter_column("accounts", "created_at", type_=sa.Date(), existing_nullable=False)
    op.execute("CREATE INDEX ix_accounts_active ON accounts (created_at) WHERE status = 'active'")


def downgrade() -> None:
    op.drop_index("ix_accounts_active", "accounts")
    op.alter_column("accounts", "created_at", type_=sa.DateTime(timezone=True), existing_nullable=False)
    op.execute("CREATE INDEX ix_accounts_active ON accounts (created_at) WHERE status = 'active'")
