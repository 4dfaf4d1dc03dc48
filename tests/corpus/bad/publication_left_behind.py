"""The table of a publication goes, the empty publication stays.

Stage: after-downgrade
Found: publication outbox left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "publication_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("outbox", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("CREATE PUBLICATION outbox FOR TABLE outbox")


def downgrade() -> None:
    op.drop_table("outbox")
