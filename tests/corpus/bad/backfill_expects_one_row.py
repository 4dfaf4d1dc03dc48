"""A subquery that finds one row on a laptop, and more in production.

Stage: rows
Error: more than one row returned by a subquery used as an expression
"""

import sqlalchemy as sa
from alembic import op

revision = "backfill_expects_one_row"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("last_note", sa.Text()))
    op.execute("UPDATE accounts SET last_note = (SELECT note FROM orders)")  # here


def downgrade() -> None:
    op.drop_column("accounts", "last_note")
