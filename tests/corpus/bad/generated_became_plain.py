"""The expression is dropped to write the column by hand, and there is no way to add it back.

Stage: after-downgrade
Found: column public.people.search changed: generated
"""

from alembic import op

revision = "generated_became_plain"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE people (id integer PRIMARY KEY, name text, search text GENERATED ALWAYS AS (lower(name)) STORED);
"""


def upgrade() -> None:
    op.execute("ALTER TABLE people ALTER search DROP EXPRESSION")


def downgrade() -> None:
    pass
