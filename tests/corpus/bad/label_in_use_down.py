"""Rows have the label that the old type does not know.

Stage: rows
Error: invalid input value for enum priority: "urgent"
"""

from alembic import op

revision = "label_in_use_down"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TYPE priority AS ENUM ('low', 'high');
CREATE TABLE jobs (id integer PRIMARY KEY, priority priority NOT NULL);
"""


def upgrade() -> None:
    op.execute("ALTER TYPE priority RENAME TO priority_old")
    op.execute("CREATE TYPE priority AS ENUM ('low', 'high', 'urgent')")
    op.execute("ALTER TABLE jobs ALTER priority TYPE priority USING priority::text::priority")
    op.execute("DROP TYPE priority_old")
    op.execute("UPDATE jobs SET priority = 'urgent'")


def downgrade() -> None:
    op.execute("ALTER TYPE priority RENAME TO priority_new")
    op.execute("CREATE TYPE priority AS ENUM ('low', 'high')")
    op.execute("ALTER TABLE jobs ALTER priority TYPE priority USING priority::text::priority")  # here
    op.execute("DROP TYPE priority_new")
