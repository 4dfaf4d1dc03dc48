"""Stands on one that fails.

Result: skipped
"""

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
