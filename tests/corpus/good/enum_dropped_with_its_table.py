"""The type that the table brought is dropped by name."""

import sqlalchemy as sa
from alembic import op

revision = "enum_dropped_with_its_table"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("mood", sa.Enum("glad", "sad", name="mood"), server_default="glad", nullable=False),
    )


def downgrade() -> None:
    op.drop_table("letters")
    sa.Enum(name="mood").drop(op.get_bind())
