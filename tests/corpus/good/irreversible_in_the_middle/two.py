"""Cannot be undone: what stands on it is judged from above it.

Result: irreversible
"""

from alembic import op

revision = "two"
down_revision = "one"
branch_labels = None
depends_on = None
irreversible = "the weights are rounded"


def upgrade() -> None:
    op.execute("UPDATE orders SET weight = weight / 10 * 10")
    op.alter_column("orders", "weight", new_column_name="rounded")


def downgrade() -> None:
    raise RuntimeError(irreversible)
