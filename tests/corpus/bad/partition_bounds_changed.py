"""Attached again a day short of the year.

Stage: after-downgrade
Found: table public.events_2024 changed: partition bound
"""

from alembic import op

revision = "partition_bounds_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE events (id integer, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
"""


def upgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")
    op.execute("DELETE FROM events_2024")


def downgrade() -> None:
    op.execute("DELETE FROM events_2024")
    op.execute("ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2024-12-31')")
