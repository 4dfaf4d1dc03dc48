"""A sequence that no column owns does not go with its column.

Stage: after-downgrade
Found: sequence public.invoice_number left behind
"""

import sqlalchemy as sa
from alembic import op

revision = "sequence_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("invoice_number")))
    op.add_column("orders", sa.Column("invoice", sa.BigInteger(), server_default=sa.text("nextval('invoice_number')")))


def downgrade() -> None:
    op.drop_column("orders", "invoice")
