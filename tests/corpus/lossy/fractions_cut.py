"""To whole numbers and back: the cents are gone.

Lost: public.prices.price
"""

import sqlalchemy as sa
from alembic import op

revision = "fractions_cut"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE prices (id integer PRIMARY KEY, price numeric(8, 4) NOT NULL);
"""


def upgrade() -> None:
    op.alter_column("prices", "price", type_=sa.Numeric(4, 0), postgresql_using="trunc(price)")


def downgrade() -> None:
    op.alter_column("prices", "price", type_=sa.Numeric(8, 4), existing_type=sa.Numeric(4, 0))
