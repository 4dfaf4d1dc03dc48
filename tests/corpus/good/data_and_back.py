"""Changes data only, and knows the way back.

Lost: nothing
"""

from alembic import op

revision = "data_and_back"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE orders SET note = note || '!'")


def downgrade() -> None:
    op.execute("UPDATE orders SET note = left(note, -1)")
