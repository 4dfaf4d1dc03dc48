"""The commonest of all: `pass` on the way down.

Stage: after-downgrade
Found: column public.accounts.phone left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "downgrade_does_nothing"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("phone", sa.Text()))


def downgrade() -> None:
    pass
