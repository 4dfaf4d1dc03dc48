"""Default privileges outlive the table for which they were meant.

Stage: after-downgrade
Found: default privileges of postgres in public on tables left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "default_privileges_left"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor")
    op.create_table("reports", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("reports")
