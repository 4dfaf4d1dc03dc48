"""A partition more; the rows of the default one that belong there move."""

from alembic import op

revision = "partition_added"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE events (id integer, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
"""


def upgrade() -> None:
    op.execute("CREATE TABLE events_2024 (LIKE events INCLUDING ALL)")
    op.execute("INSERT INTO events_2024 SELECT * FROM events_rest WHERE day BETWEEN '2024-01-01' AND '2024-12-31'")
    op.execute("DELETE FROM events_rest WHERE day BETWEEN '2024-01-01' AND '2024-12-31'")
    op.execute("ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')")


def downgrade() -> None:
    op.execute("ALTER TABLE events DETACH PARTITION events_2024")
    op.execute("INSERT INTO events SELECT * FROM events_2024")
    op.execute("DROP TABLE events_2024")
