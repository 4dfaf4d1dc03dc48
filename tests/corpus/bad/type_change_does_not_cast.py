"""With USING it works on an empty table; a name is no number.

Stage: rows
Error: invalid input syntax for type integer
"""

import sqlalchemy as sa
from alembic import op

revision = "type_change_does_not_cast"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "note", type_=sa.Integer(), postgresql_using="note::integer")  # here


def downgrade() -> None:
    op.alter_column("orders", "note", type_=sa.Text(), existing_type=sa.Integer())
