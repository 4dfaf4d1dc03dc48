"""Works in another schema, by a search_path that it does not set back."""

from alembic import op

revision = "other_search_path"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA archive")
    op.execute("SET search_path = archive")
    op.execute("CREATE TABLE orders (id bigint PRIMARY KEY)")
    op.execute("SET search_path = public")


def downgrade() -> None:
    op.execute("SET LOCAL search_path = archive, public")
    op.execute("DROP TABLE orders")
    op.execute("DROP SCHEMA archive")
