"""The expression of a generated column cannot be altered, so it is written anew: differently.

Stage: after-downgrade
Found: column public.people.search changed: generated
"""

import sqlalchemy as sa
from alembic import op

revision = "generated_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE people (id integer PRIMARY KEY, name text, search text GENERATED ALWAYS AS (lower(name)) STORED);
"""


def upgrade() -> None:
    op.drop_column("people", "search")


def downgrade() -> None:
    op.add_column("people", sa.Column("search", sa.Text(), sa.Computed("upper(name)", persisted=True)))
