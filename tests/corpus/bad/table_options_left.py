"""Tuning is schema too: the fill factor stays at what the upgrade has set.

Stage: after-downgrade
Found: table public.orders changed: options
"""

from alembic import op

revision = "table_options_left"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01)")


def downgrade() -> None:
    op.execute("ALTER TABLE orders RESET (autovacuum_vacuum_scale_factor)")
