"""No server has this extension; one that a server lacks is an everyday finding.

Stage: upgrade
Error: extension "corpus_extension" is not available
"""

from alembic import op

revision = "extension_not_there"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION corpus_extension")  # here


def downgrade() -> None:
    op.execute("DROP EXTENSION corpus_extension")
