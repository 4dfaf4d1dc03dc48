"""A comment with quotes, percent signs and colons in it."""

from alembic import op

revision = "comment_changed_and_back"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("COMMENT ON TABLE accounts IS 'who buys: 100 % of ''them'' \\:not_a_parameter'")


def downgrade() -> None:
    op.execute("COMMENT ON TABLE accounts IS 'who buys'")
