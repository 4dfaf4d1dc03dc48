"""BRIN before, B-tree afterwards.

Stage: after-downgrade
Found: index ix_accounts_created ON public.accounts changed: definition
"""

from alembic import op

revision = "index_method_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE INDEX ix_accounts_created ON accounts USING brin (created_at);
"""


def upgrade() -> None:
    op.drop_index("ix_accounts_created", "accounts")


def downgrade() -> None:
    op.create_index("ix_accounts_created", "accounts", ["created_at"])
