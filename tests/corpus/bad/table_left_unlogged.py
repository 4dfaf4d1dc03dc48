"""Unlogged for a bulk load: the next crash of the server empties the table.

Stage: after-downgrade
Found: table public.notes changed: persistence
"""

from alembic import op

revision = "table_left_unlogged"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE notes (id integer PRIMARY KEY);
"""


def upgrade() -> None:
    op.execute("ALTER TABLE notes SET UNLOGGED")


def downgrade() -> None:
    op.execute("ANALYZE notes")
