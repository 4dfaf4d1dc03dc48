"""A view that stood in the way is dropped with CASCADE and forgotten.

Stage: after-downgrade
Found: view public.notes_of_orders lost
"""

import sqlalchemy as sa
from alembic import op

revision = "view_not_restored"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE VIEW notes_of_orders AS SELECT id, note FROM orders;
"""


def upgrade() -> None:
    op.execute("ALTER TABLE orders DROP COLUMN note CASCADE")


def downgrade() -> None:
    op.add_column("orders", sa.Column("note", sa.Text()))
