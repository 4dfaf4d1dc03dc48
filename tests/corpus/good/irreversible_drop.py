"""What is dropped for good is declared.

Result: irreversible
"""

from alembic import op

revision = "irreversible_drop"
down_revision = "given"
branch_labels = None
depends_on = None
irreversible = "the notes of the orders are deleted, as the law wants it"


def upgrade() -> None:
    op.drop_column("orders", "note")


def downgrade() -> None:
    raise RuntimeError(irreversible)
