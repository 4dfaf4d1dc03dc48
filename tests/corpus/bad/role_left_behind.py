"""A role belongs to the cluster: no catalog of the database has it, and the next upgrade trips over it.

Stage: after-downgrade
Found: role corpus_reader_left_behind left behind
"""

from alembic import op

revision = "role_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE ROLE corpus_reader_left_behind")


def downgrade() -> None:
    pass
