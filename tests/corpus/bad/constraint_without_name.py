"""Autogenerate writes `None` for a key that it did not name: nothing can be dropped by that name.

Stage: downgrade
Error: it has no name
"""

from alembic import op

revision = "constraint_without_name"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_foreign_key(None, "orders", "accounts", ["seller_id"], ["id"], postgresql_not_valid=True)


def downgrade() -> None:
    op.drop_constraint(None, "orders", type_="foreignkey")  # type: ignore[arg-type]  # here
