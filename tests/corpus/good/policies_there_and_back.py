"""Row security with two policies, forced, and off again."""

from alembic import op

revision = "policies_there_and_back"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own ON orders USING (note = current_user) WITH CHECK (note = current_user)")
    op.execute("CREATE POLICY support ON orders AS RESTRICTIVE FOR SELECT TO pg_monitor USING (state <> 'open')")


def downgrade() -> None:
    op.execute("DROP POLICY support ON orders")
    op.execute("DROP POLICY own ON orders")
    op.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")
