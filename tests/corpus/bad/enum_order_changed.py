"""The same labels in another order: < and ORDER BY give other answers.

Stage: after-downgrade
Found: enum public.priority changed: labels
"""

import sqlalchemy as sa
from alembic import op

revision = "enum_order_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TYPE priority AS ENUM ('low', 'normal', 'high');
"""


def upgrade() -> None:
    op.execute("DROP TYPE priority")


def downgrade() -> None:
    sa.Enum("high", "low", "normal", name="priority").create(op.get_bind())
