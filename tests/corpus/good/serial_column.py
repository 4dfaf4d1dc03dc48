"""The sequence of a serial column comes and goes with it."""

import sqlalchemy as sa
from alembic import op

revision = "serial_column"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("tickets", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.Text()))
    op.execute("ALTER TABLE orders ADD COLUMN position serial")


def downgrade() -> None:
    op.drop_column("orders", "position")
    op.drop_table("tickets")
