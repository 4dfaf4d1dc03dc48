"""The view that it leaves is in the way of the first one's downgrade, two steps further down.

Stage: after-downgrade
Found: view public.sad_moods left behind
"""

from alembic import op

revision = "three"
down_revision = "two"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE VIEW sad_moods AS SELECT id FROM moods WHERE mood = 'sad'")


def downgrade() -> None:
    op.execute("DROP VIEW IF EXISTS sad_mood")
