"""Only joins."""

revision = "merge"
down_revision = ("left", "right")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
