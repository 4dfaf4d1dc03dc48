"""The type is swapped back for one with other labels than before.

Stage: after-downgrade
Found: enum public.priority changed: labels
"""

import sqlalchemy as sa
from alembic import op

revision = "enum_labels_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TYPE priority AS ENUM ('low', 'normal', 'high');
"""


def upgrade() -> None:
    op.execute("DROP TYPE priority")


def downgrade() -> None:
    sa.Enum("low", "high", name="priority").create(op.get_bind())
