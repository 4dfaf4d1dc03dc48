"""The table's column creates the type that an older revision has created.

Stage: upgrade
Error: type "order_state" already exists
"""

import sqlalchemy as sa
from alembic import op

revision = "enum_exists_already"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("state", sa.Enum("open", "paid", "sent", name="order_state")),
    )


def downgrade() -> None:
    op.drop_table("returns")
