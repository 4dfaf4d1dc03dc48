"""The child table is cut off from its parent.

Stage: after-downgrade
Found: table public.cats changed: inherits
"""

from alembic import op

revision = "inheritance_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE animals (id integer);
CREATE TABLE cats (lives integer) INHERITS (animals);
"""


def upgrade() -> None:
    op.execute("ALTER TABLE cats NO INHERIT animals")


def downgrade() -> None:
    pass
