"""Text that is there does not fit into one letter.

Stage: rows
Error: value too long for type character varying(1)
"""

import sqlalchemy as sa
from alembic import op

revision = "shorter_column"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "email", type_=sa.String(1), existing_type=sa.Text(), existing_nullable=False)  # here


def downgrade() -> None:
    op.alter_column("accounts", "email", type_=sa.Text(), existing_type=sa.String(1), existing_nullable=False)
