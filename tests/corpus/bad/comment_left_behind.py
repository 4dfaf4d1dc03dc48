"""The remark is not taken back.

Stage: after-downgrade
Found: column public.orders.note changed: comment
"""

import sqlalchemy as sa
from alembic import op

revision = "comment_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "note", comment="read by the seller", existing_type=sa.Text(), existing_nullable=True)


def downgrade() -> None:
    pass
