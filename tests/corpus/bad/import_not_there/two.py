"""Stands on it.

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
