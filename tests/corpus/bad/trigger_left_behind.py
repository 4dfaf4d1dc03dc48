"""Table and function were there before, so neither takes the trigger along.

Stage: after-downgrade
Found: trigger touch_orders ON public.orders left behind
"""

from alembic import op

revision = "trigger_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""


def upgrade() -> None:
    op.execute("CREATE TRIGGER touch_orders BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()")


def downgrade() -> None:
    pass
