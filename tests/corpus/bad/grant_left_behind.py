"""What was granted for the new report is not taken back.

Stage: after-downgrade
Found: table public.orders changed: grants to pg_monitor
"""

from alembic import op

revision = "grant_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT SELECT ON orders TO pg_monitor")
    op.execute("CREATE VIEW report AS SELECT state, count(*) FROM orders GROUP BY state")


def downgrade() -> None:
    op.execute("DROP VIEW report")
