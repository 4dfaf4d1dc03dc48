"""A view in the way is dropped and made again, on both ways."""

import sqlalchemy as sa
from alembic import op

revision = "view_around_type_change"
down_revision = "given"
branch_labels = None
depends_on = None
VIEW = "CREATE VIEW buyers AS SELECT id, status FROM accounts; GRANT SELECT ON buyers TO pg_monitor"

GIVEN = """
CREATE VIEW buyers AS SELECT id, status FROM accounts;
GRANT SELECT ON buyers TO pg_monitor;
"""


def upgrade() -> None:
    op.execute("DROP VIEW buyers")
    op.alter_column("accounts", "status", type_=sa.String(40), existing_type=sa.String(20), existing_nullable=False)
    op.execute(VIEW)


def downgrade() -> None:
    op.execute("DROP VIEW buyers")
    op.execute("ALTER TABLE accounts ALTER status TYPE varchar(20) USING left(status, 20)")
    op.execute(VIEW)
