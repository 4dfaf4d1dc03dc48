"""The table comes back empty.

Lost: public.notes
"""

import sqlalchemy as sa
from alembic import op

revision = "table_dropped"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE notes (id integer CONSTRAINT pk_notes PRIMARY KEY, body text);
"""


def upgrade() -> None:
    op.drop_table("notes")


def downgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), autoincrement=False),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )
