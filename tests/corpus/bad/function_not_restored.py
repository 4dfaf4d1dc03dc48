"""The old body is not what the way down puts back.

Stage: after-downgrade
Found: function public.discount(numeric) changed: definition
"""

from alembic import op

revision = "function_not_restored"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION discount(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.9';
"""


def upgrade() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION discount(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.8'"
    )


def downgrade() -> None:
    op.execute("CREATE OR REPLACE FUNCTION discount(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 * 0.9'")
