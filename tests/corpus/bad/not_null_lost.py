"""The column was NOT NULL before; the way down forgets to say so.

Stage: after-downgrade
Found: column public.accounts.balance changed: not null
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "balance", type_=sa.Numeric(14, 2), nullable=True, existing_type=sa.Numeric(12, 2))


def downgrade() -> None:
    op.alter_column("accounts", "balance", type_=sa.Numeric(12, 2), existing_type=sa.Numeric(14, 2))
