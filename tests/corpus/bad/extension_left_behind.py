"""The column of the extension's type goes, the extension stays.

Stage: after-downgrade
Found: extension vector left behind
"""

from alembic import op

revision = "extension_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION vector")
    op.execute("ALTER TABLE accounts ADD COLUMN taste vector(3)")


def downgrade() -> None:
    op.drop_column("accounts", "taste")
