"""A label of an enum cannot be dropped: declared, so the walk steps over it.

Result: irreversible
"""

from alembic import op

revision = "irreversible_label"
down_revision = "given"
branch_labels = None
depends_on = None
irreversible = "PostgreSQL cannot drop a label of an enum"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE order_state ADD VALUE 'returned'")


def downgrade() -> None:
    raise RuntimeError(irreversible)
