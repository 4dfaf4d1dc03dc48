"""The type of a cast is an old one, so nothing takes the cast along.

Stage: after-downgrade
Found: cast (public.order_state AS integer) left behind
"""

from alembic import op

revision = "cast_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION rank_of(order_state) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
"""


def upgrade() -> None:
    op.execute("CREATE CAST (order_state AS integer) WITH FUNCTION rank_of(order_state)")


def downgrade() -> None:
    pass
