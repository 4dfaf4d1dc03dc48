"""A revision that only holds a place.

Lost: nothing
"""

revision = "nothing_at_all"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
