"""The index that uses the configuration goes, the configuration stays.

Stage: after-downgrade
Found: text search configuration public.shop left behind
"""

from alembic import op

revision = "text_search_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TEXT SEARCH CONFIGURATION shop (COPY = simple)")
    op.execute("CREATE INDEX ix_orders_words ON orders USING gin (to_tsvector('shop', note))")


def downgrade() -> None:
    op.drop_index("ix_orders_words", "orders")
