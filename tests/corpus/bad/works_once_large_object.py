"""A large object is no part of the schema, and stays under its number.

Stage: upgrade-again
Error: duplicate key value violates unique constraint "pg_largeobject_metadata_oid_index"
"""

from alembic import op

revision = "works_once_large_object"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SELECT lo_create(4711)")  # here


def downgrade() -> None:
    pass
