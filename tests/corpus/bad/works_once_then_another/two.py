"""Right."""

from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "theme", new_column_name="colours")


def downgrade() -> None:
    op.alter_column("accounts", "colours", new_column_name="theme")
