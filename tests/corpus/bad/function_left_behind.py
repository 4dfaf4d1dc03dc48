"""A trigger is dropped without the function that was made for it.

Stage: after-downgrade
Found: function public.stamp() left behind
"""

from alembic import op

revision = "function_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    op.execute("CREATE TRIGGER stamp_orders BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp()")


def downgrade() -> None:
    op.execute("DROP TRIGGER stamp_orders ON orders")
