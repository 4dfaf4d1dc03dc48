"""What may be NULL after the upgrade, and is, may not be NULL before it.

Stage: rows
Error: column "note_of_seller" of relation "talks" contains null values
"""

from alembic import op

revision = "not_null_over_nulls_down"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE talks (id integer PRIMARY KEY, note_of_seller text NOT NULL);
"""


def upgrade() -> None:
    op.alter_column("talks", "note_of_seller", nullable=True)
    op.execute("UPDATE talks SET note_of_seller = NULL WHERE id % 2 = 0")


def downgrade() -> None:
    op.alter_column("talks", "note_of_seller", nullable=False)  # here
