"""Free text becomes an enum: each value that it does not list is an error.

Stage: rows
Error: invalid input value for enum account_kind
"""

from alembic import op

revision = "enum_over_free_text"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE accounts ADD COLUMN kind text NOT NULL DEFAULT 'private';
"""


def upgrade() -> None:
    op.execute("CREATE TYPE account_kind AS ENUM ('private', 'company')")
    op.execute("ALTER TABLE accounts ALTER kind DROP DEFAULT")
    op.execute("ALTER TABLE accounts ALTER kind TYPE account_kind USING kind::account_kind")  # here
    op.execute("ALTER TABLE accounts ALTER kind SET DEFAULT 'private'")


def downgrade() -> None:
    op.execute("ALTER TABLE accounts ALTER kind DROP DEFAULT")
    op.execute("ALTER TABLE accounts ALTER kind TYPE text USING kind::text")
    op.execute("ALTER TABLE accounts ALTER kind SET DEFAULT 'private'")
    op.execute("DROP TYPE account_kind")
