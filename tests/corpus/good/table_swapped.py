"""A new table, the rows copied, the names exchanged; and back.

Lost: nothing
"""

from alembic import op

revision = "table_swapped"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE notes (id integer CONSTRAINT pk_notes PRIMARY KEY, body text);
"""


def upgrade() -> None:
    op.rename_table("notes", "notes_old")
    op.execute("CREATE TABLE notes (id bigint, body text)")
    op.execute("INSERT INTO notes SELECT id, body FROM notes_old")
    op.drop_table("notes_old")
    op.create_primary_key("pk_notes", "notes", ["id"])


def downgrade() -> None:
    op.rename_table("notes", "notes_new")
    op.execute("CREATE TABLE notes (id integer, body text)")
    op.execute("INSERT INTO notes SELECT id, body FROM notes_new")
    op.drop_table("notes_new")
    op.create_primary_key("pk_notes", "notes", ["id"])
