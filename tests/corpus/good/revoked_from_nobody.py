"""Taking back what was never given writes the rights down, and changes none."""

from alembic import op

revision = "revoked_from_nobody"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("REVOKE ALL ON orders FROM pg_monitor")


def downgrade() -> None:
    pass
