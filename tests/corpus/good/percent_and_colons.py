"""Formats, casts and JSON paths in raw SQL."""

from alembic import op

revision = "percent_and_colons"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET note = to_char(number, '999%') WHERE note LIKE '%nobody writes this%'")
    op.execute("ALTER TABLE orders ADD COLUMN facts jsonb NOT NULL DEFAULT '{\"a\"\\: [1, 2]}'::jsonb")


def downgrade() -> None:
    op.drop_column("orders", "facts")
