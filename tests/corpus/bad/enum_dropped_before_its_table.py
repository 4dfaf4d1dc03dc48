"""The type is dropped while a column still has it.

Stage: downgrade
Error: column mood of table letters depends on type mood
"""

import sqlalchemy as sa
from alembic import op

revision = "enum_dropped_before_its_table"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("mood", sa.Enum("glad", "sad", name="mood")),
    )


def downgrade() -> None:
    op.execute("DROP TYPE mood")  # here
    op.drop_table("letters")
