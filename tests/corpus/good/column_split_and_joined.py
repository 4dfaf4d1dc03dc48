"""One column becomes two and one again: the values are those of before.

Lost: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "column_split_and_joined"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE people (id integer PRIMARY KEY, name text);
"""


def upgrade() -> None:
    op.add_column("people", sa.Column("length", sa.Integer()))
    op.add_column("people", sa.Column("reversed", sa.Text()))
    op.execute("UPDATE people SET length = length(name), reversed = reverse(name)")
    op.drop_column("people", "name")


def downgrade() -> None:
    op.add_column("people", sa.Column("name", sa.Text()))
    op.execute("UPDATE people SET name = reverse(reversed)")
    op.drop_column("people", "reversed")
    op.drop_column("people", "length")
