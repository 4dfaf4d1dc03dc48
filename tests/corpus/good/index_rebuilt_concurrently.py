"""A new index beside the old one, then the old name: nothing but the time differs."""

from alembic import op

revision = "index_rebuilt_concurrently"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_new ON accounts (created_at) WHERE status = 'active'")
        op.execute("DROP INDEX CONCURRENTLY ix_accounts_active")
        op.execute("ALTER INDEX ix_new RENAME TO ix_accounts_active")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("REINDEX INDEX CONCURRENTLY ix_accounts_active")
