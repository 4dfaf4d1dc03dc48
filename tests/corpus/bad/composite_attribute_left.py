"""A composite type keeps the attribute that it was given.

Stage: after-downgrade
Found: composite type public.money_amount changed: attributes
"""

from alembic import op

revision = "composite_attribute_left"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TYPE money_amount AS (amount numeric, currency text);
"""


def upgrade() -> None:
    op.execute("ALTER TYPE money_amount ADD ATTRIBUTE rate numeric")


def downgrade() -> None:
    pass
