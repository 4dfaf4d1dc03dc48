"""What is no number becomes NULL: said in the USING.

Lost: public.orders.note
"""

import sqlalchemy as sa
from alembic import op

revision = "type_change_with_using"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "orders", "note", type_=sa.Integer(), postgresql_using="CASE WHEN note ~ '^[0-9]{1,9}$' THEN note::integer END"
    )


def downgrade() -> None:
    op.alter_column("orders", "note", type_=sa.Text(), existing_type=sa.Integer())
