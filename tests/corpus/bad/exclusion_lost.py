"""Bookings may overlap after the way back.

Stage: after-downgrade
Found: constraint no_overlap ON public.bookings lost
"""

from alembic import op

revision = "exclusion_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE bookings (id integer PRIMARY KEY, during tstzrange);
ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);
"""


def upgrade() -> None:
    op.drop_constraint("no_overlap", "bookings")


def downgrade() -> None:
    pass
