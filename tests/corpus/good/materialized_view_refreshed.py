"""Made, indexed, refreshed, dropped."""

from alembic import op

revision = "materialized_view_refreshed"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) AS many FROM orders GROUP BY state")
    op.execute("CREATE UNIQUE INDEX ux_totals ON totals (state)")
    op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW totals")
