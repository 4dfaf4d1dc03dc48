"""Wider, and back to something else than before.

Stage: after-downgrade
Found: column public.accounts.status changed: type
"""

import sqlalchemy as sa
from alembic import op

revision = "length_forgotten"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "status", type_=sa.Text(), existing_type=sa.String(20), existing_nullable=False)


def downgrade() -> None:
    op.alter_column("accounts", "status", type_=sa.String(200), existing_type=sa.Text(), existing_nullable=False)
