"""The way down marks the rows that it has been at, in a manner that the way up refuses.

Stage: upgrade-again
Error: check constraint "ck_people_name" of relation "people" is violated by some row
"""

from alembic import op

revision = "works_once_rows_are_marked"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL);
"""


def upgrade() -> None:
    op.create_check_constraint("ck_people_name", "people", "name NOT LIKE 'undone: %'")  # here


def downgrade() -> None:
    op.drop_constraint("ck_people_name", "people")
    op.execute("UPDATE people SET name = 'undone: ' || name")
