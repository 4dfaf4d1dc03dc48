"""A view is dropped and made again; who could read it cannot any more.

Stage: after-downgrade
Found: view public.buyers changed: grants to pg_monitor
"""

import sqlalchemy as sa
from alembic import op

revision = "grant_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE VIEW buyers AS SELECT id, email FROM accounts;
GRANT SELECT ON buyers TO pg_monitor;
"""


def upgrade() -> None:
    op.execute("DROP VIEW buyers")
    op.alter_column("accounts", "email", type_=sa.String(320), existing_type=sa.Text(), existing_nullable=False)
    op.execute("CREATE VIEW buyers AS SELECT id, email FROM accounts")
    op.execute("GRANT SELECT ON buyers TO pg_monitor")


def downgrade() -> None:
    op.execute("DROP VIEW buyers")
    op.alter_column("accounts", "email", type_=sa.Text(), existing_type=sa.String(320), existing_nullable=False)
    op.execute("CREATE VIEW buyers AS SELECT id, email FROM accounts")
