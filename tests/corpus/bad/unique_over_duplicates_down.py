"""What was unique is cut to its domain; the way down cannot make it unique again.

Stage: rows
Error: could not create unique index "uq_people_email"
"""

from alembic import op

revision = "unique_over_duplicates_down"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE people (id integer PRIMARY KEY, email text NOT NULL, CONSTRAINT uq_people_email UNIQUE (email));
"""


def upgrade() -> None:
    op.drop_constraint("uq_people_email", "people")
    op.execute("UPDATE people SET email = split_part(email, '@', 2)")


def downgrade() -> None:
    op.create_unique_constraint("uq_people_email", "people", ["email"])  # here
