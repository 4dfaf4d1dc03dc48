"""The default is dropped for the time of a change, and not set again.

Stage: after-downgrade
Found: column public.accounts.status changed: default
"""

import sqlalchemy as sa
from alembic import op

revision = "default_lost"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "status", server_default="new", existing_type=sa.String(20), existing_nullable=False)


def downgrade() -> None:
    op.alter_column("accounts", "status", server_default=None, existing_type=sa.String(20), existing_nullable=False)
