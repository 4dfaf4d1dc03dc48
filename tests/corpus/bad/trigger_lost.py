"""The table is made anew with its columns and keys, and without its trigger.

Stage: after-downgrade
Found: trigger touch_notes ON public.notes lost
"""

import sqlalchemy as sa
from alembic import op

revision = "trigger_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE notes (id integer CONSTRAINT pk_notes PRIMARY KEY);
CREATE TRIGGER touch_notes BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
"""


def upgrade() -> None:
    op.drop_table("notes")


def downgrade() -> None:
    op.create_table(
        "notes", sa.Column("id", sa.Integer(), autoincrement=False), sa.PrimaryKeyConstraint("id", name="pk_notes")
    )
