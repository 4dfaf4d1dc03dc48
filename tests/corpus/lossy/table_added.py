"""The rows of the new table go with it.

Lost: public.letters
"""

import sqlalchemy as sa
from alembic import op

revision = "table_added"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("letters", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("body", sa.Text()))


def downgrade() -> None:
    op.drop_table("letters")
