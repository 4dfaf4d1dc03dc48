"""The key of a link table comes back with its columns the other way round: another index.

Stage: after-downgrade
Found: constraint pk_seats ON public.seats changed: definition
"""

from alembic import op

revision = "primary_key_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE seats (hall integer, number integer, CONSTRAINT pk_seats PRIMARY KEY (hall, number));
"""


def upgrade() -> None:
    op.drop_constraint("pk_seats", "seats")


def downgrade() -> None:
    op.create_primary_key("pk_seats", "seats", ["number", "hall"])
