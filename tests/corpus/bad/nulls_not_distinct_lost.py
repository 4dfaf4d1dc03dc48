"""Two rows without a number are no duplicates any more.

Stage: after-downgrade
Found: constraint uq_parcels_number ON public.parcels changed: definition
"""

from alembic import op

revision = "nulls_not_distinct_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE parcels (id integer PRIMARY KEY, number integer);
ALTER TABLE parcels ADD CONSTRAINT uq_parcels_number UNIQUE NULLS NOT DISTINCT (number);
"""


def upgrade() -> None:
    op.drop_constraint("uq_parcels_number", "parcels")
    op.execute("DELETE FROM parcels")


def downgrade() -> None:
    op.execute("DELETE FROM parcels")
    op.create_unique_constraint("uq_parcels_number", "parcels", ["number"])
