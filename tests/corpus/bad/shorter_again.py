"""A column that has grown does not fit into its old length.

Stage: rows
Error: value too long for type character varying(20)
"""

import sqlalchemy as sa
from alembic import op

revision = "shorter_again"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("accounts", "status", type_=sa.Text(), existing_type=sa.String(20), existing_nullable=False)
    op.execute("UPDATE accounts SET status = 'waiting for the answer of the bank'")


def downgrade() -> None:
    op.alter_column("accounts", "status", type_=sa.String(20), existing_type=sa.Text(), existing_nullable=False)  # here
