"""The merge of the two can never be reached.

Result: skipped
"""

revision = "theirs"
down_revision = ("left", "right")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
