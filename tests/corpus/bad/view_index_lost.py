"""A materialized view is dropped and made again; its index went with it.

Stage: after-downgrade
Found: index ux_totals ON public.totals lost
"""

from alembic import op

revision = "view_index_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) AS many FROM orders GROUP BY state;
CREATE UNIQUE INDEX ux_totals ON totals (state);
"""


def upgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW totals")


def downgrade() -> None:
    op.execute("CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) AS many FROM orders GROUP BY state")
