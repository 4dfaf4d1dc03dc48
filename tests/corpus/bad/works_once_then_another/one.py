"""Fails the second time; what stands on it needs what it has made the first time.

Stage: upgrade-again
Error: violates unique constraint "pk_settings"
"""

import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE settings (name text CONSTRAINT pk_settings PRIMARY KEY, value text);
"""


def upgrade() -> None:
    op.execute("INSERT INTO settings VALUES ('theme', 'dark')")  # here
    op.add_column("accounts", sa.Column("theme", sa.Text()))


def downgrade() -> None:
    op.drop_column("accounts", "theme")
