"""Made anew, the table is no longer published: replicas stand still without an error.

Stage: after-downgrade
Found: publication table feed ON public.feed lost
"""

import sqlalchemy as sa
from alembic import op

revision = "published_table_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE feed (id integer CONSTRAINT pk_feed PRIMARY KEY);
CREATE PUBLICATION feed FOR TABLE feed;
"""


def upgrade() -> None:
    op.drop_table("feed")


def downgrade() -> None:
    op.create_table(
        "feed", sa.Column("id", sa.Integer(), autoincrement=False), sa.PrimaryKeyConstraint("id", name="pk_feed")
    )
