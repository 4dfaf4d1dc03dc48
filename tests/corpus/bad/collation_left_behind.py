"""The column goes, the collation made for it stays.

Stage: after-downgrade
Found: collation public.plain left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "collation_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE COLLATION plain (provider = libc, locale = 'C')")
    op.add_column("accounts", sa.Column("handle", sa.Text(collation="plain")))


def downgrade() -> None:
    op.drop_column("accounts", "handle")
