"""The partial index comes back as a full one.

Stage: after-downgrade
Found: index ix_accounts_active ON public.accounts changed: definition
"""

from alembic import op

revision = "index_predicate_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_accounts_active", "accounts")


def downgrade() -> None:
    op.create_index("ix_accounts_active", "accounts", ["created_at"])
