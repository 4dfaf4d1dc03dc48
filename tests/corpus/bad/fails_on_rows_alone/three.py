"""Needs it too, and is wrong.

Stage: after-downgrade
Found: column public.accounts.phone changed: comment
"""

from alembic import op

revision = "three"
down_revision = "two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("COMMENT ON COLUMN accounts.phone IS 'with the prefix'")


def downgrade() -> None:
    pass
