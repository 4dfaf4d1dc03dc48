"""Timeouts for this revision, and advisory locks that it does not free."""

import sqlalchemy as sa
from alembic import op

revision = "settings_of_the_session"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("SELECT pg_advisory_xact_lock(4711)")
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.drop_column("orders", "weight")
