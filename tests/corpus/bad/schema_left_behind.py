"""The tables of a new schema are dropped, the schema is not.

Stage: after-downgrade
Found: schema archive left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "schema_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA archive")
    op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), schema="archive")


def downgrade() -> None:
    op.drop_table("orders", schema="archive")
