"""The type comes with the table and stays without it: `drop_table` drops no type.

Stage: after-downgrade
Found: enum public.mood left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "enum_left_behind"
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
    op.drop_table("letters")
