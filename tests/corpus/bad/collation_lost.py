"""The column comes back with the default collation.

Stage: after-downgrade
Found: column public.codes.code changed: collation
"""

import sqlalchemy as sa
from alembic import op

revision = "collation_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE codes (id integer PRIMARY KEY, code text COLLATE "C");
"""


def upgrade() -> None:
    op.drop_column("codes", "code")


def downgrade() -> None:
    op.add_column("codes", sa.Column("code", sa.Text()))
