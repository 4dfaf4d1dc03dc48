"""The partition is detached, and not attached again.

Stage: after-downgrade
Found: table public.events_2024 changed: part of
"""

from alembic import op

revision = "partition_left_detached"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE events (id integer, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
"""


def upgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")


def downgrade() -> None:
    pass
