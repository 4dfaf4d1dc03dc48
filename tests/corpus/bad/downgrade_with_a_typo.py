"""A name that Python does not know: nobody has ever run this downgrade.

Stage: downgrade
Error: drop_columm
"""

import sqlalchemy as sa
from alembic import op

revision = "downgrade_with_a_typo"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("weight", sa.Integer()))


def downgrade() -> None:
    op.drop_columm("orders", "weight")  # type: ignore[attr-defined]  # here
