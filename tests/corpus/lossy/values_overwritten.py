"""A data migration without a way back: which letters were small is not known any more.

Lost: public.accounts.nickname
"""

from alembic import op

revision = "values_overwritten"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE accounts SET nickname = upper(nickname)")


def downgrade() -> None:
    pass
