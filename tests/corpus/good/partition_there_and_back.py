"""Detached and attached again: a check keeps out meanwhile what would not fit the bounds.

Lost: nothing
"""

from alembic import op

revision = "partition_there_and_back"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE events (id integer, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX ix_events_day ON events (day);
"""


def upgrade() -> None:
    op.create_check_constraint("ck_events_2024", "events_2024", "day >= '2024-01-01' AND day < '2025-01-01'")
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")


def downgrade() -> None:
    op.execute("ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")
    op.drop_constraint("ck_events_2024", "events_2024")
