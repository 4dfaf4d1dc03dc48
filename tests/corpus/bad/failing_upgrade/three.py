"""Stands on what stands on it.

Result: skipped
"""

revision = "three"
down_revision = "two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
