"""The column is dropped and added again without its comment.

Stage: after-downgrade
Found: column public.accounts.nickname changed: comment
"""

import sqlalchemy as sa
from alembic import op

revision = "comment_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("accounts", "nickname")


def downgrade() -> None:
    op.add_column("accounts", sa.Column("nickname", sa.Text()))
