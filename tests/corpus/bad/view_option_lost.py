"""The view comes back without security_barrier: functions see rows that they should not.

Stage: after-downgrade
Found: view public.buyers changed: options
"""

from alembic import op

revision = "view_option_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE VIEW buyers WITH (security_barrier) AS SELECT id, email FROM accounts WHERE status = 'active';
"""


def upgrade() -> None:
    op.execute("DROP VIEW buyers")


def downgrade() -> None:
    op.execute("CREATE VIEW buyers AS SELECT id, email FROM accounts WHERE status = 'active'")
