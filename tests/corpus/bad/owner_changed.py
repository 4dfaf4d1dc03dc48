"""A table made anew belongs to whoever ran the migration.

Stage: after-downgrade
Found: table public.ledger changed: owner
"""

import sqlalchemy as sa
from alembic import op

revision = "owner_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE ledger (id integer CONSTRAINT pk_ledger PRIMARY KEY);
ALTER TABLE ledger OWNER TO pg_monitor;
"""


def upgrade() -> None:
    op.drop_table("ledger")


def downgrade() -> None:
    op.create_table(
        "ledger", sa.Column("id", sa.Integer(), autoincrement=False), sa.PrimaryKeyConstraint("id", name="pk_ledger")
    )
