"""A role is made, used and dropped."""

from alembic import op

revision = "role_comes_and_goes"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE ROLE corpus_reader_that_goes")
    op.execute("GRANT SELECT ON orders TO corpus_reader_that_goes")


def downgrade() -> None:
    op.execute("DROP OWNED BY corpus_reader_that_goes")
    op.execute("DROP ROLE corpus_reader_that_goes")
