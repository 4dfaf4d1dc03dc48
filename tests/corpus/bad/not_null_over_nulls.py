"""An old column may not be NULL any more, and is.

Stage: rows
Error: column "nickname" of relation "accounts" contains null values
"""

from alembic import op

revision = "not_null_over_nulls"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "nickname", nullable=False)  # here


def downgrade() -> None:
    op.alter_column("accounts", "nickname", nullable=True)
