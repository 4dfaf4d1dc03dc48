"""An extension, a column of its type and an index of its own kind."""

from alembic import op

revision = "extension_comes_and_goes"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION vector")
    op.execute("ALTER TABLE accounts ADD COLUMN taste vector(3)")
    op.execute("CREATE INDEX ix_accounts_taste ON accounts USING hnsw (taste vector_l2_ops)")


def downgrade() -> None:
    op.drop_column("accounts", "taste")
    op.execute("DROP EXTENSION vector")
