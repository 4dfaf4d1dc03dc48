"""A new body, and the old one word by word."""

from alembic import op

revision = "function_replaced_and_back"
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
    op.execute(
        "CREATE OR REPLACE FUNCTION discount(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.9'"
    )
