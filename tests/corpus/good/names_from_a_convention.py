"""Constraints without a name get PostgreSQL's own, the same each time."""

import sqlalchemy as sa
from alembic import op

revision = "names_from_a_convention"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "baskets",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account_id", sa.BigInteger(), sa.ForeignKey("accounts.id")),
        sa.Column("code", sa.Text(), unique=True),
        sa.CheckConstraint("code <> ''"),
    )
    op.execute("ALTER TABLE orders ADD UNIQUE (id, state)")


def downgrade() -> None:
    op.execute("ALTER TABLE orders DROP CONSTRAINT orders_id_state_key")
    op.drop_table("baskets")
