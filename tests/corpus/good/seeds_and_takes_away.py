"""Rows that the upgrade inserts and the downgrade deletes."""

import sqlalchemy as sa
from alembic import op

revision = "seeds_and_takes_away"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE settings (name text CONSTRAINT pk_settings PRIMARY KEY, value text);
"""


def upgrade() -> None:
    settings = sa.table("settings", sa.column("name", sa.Text), sa.column("value", sa.Text))
    op.bulk_insert(settings, [{"name": "corpus theme", "value": "dark"}, {"name": "corpus size", "value": "12"}])


def downgrade() -> None:
    op.execute("DELETE FROM settings WHERE name IN ('corpus theme', 'corpus size')")
