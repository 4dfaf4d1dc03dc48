"""The long ones are cut, and not made whole again.

Lost: public.accounts.email
"""

import sqlalchemy as sa
from alembic import op

revision = "text_cut"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
ALTER TABLE accounts DROP CONSTRAINT uq_accounts_email;
"""


def upgrade() -> None:
    op.alter_column("accounts", "email", type_=sa.String(3), postgresql_using="left(email, 3)")


def downgrade() -> None:
    op.alter_column("accounts", "email", type_=sa.Text(), existing_type=sa.String(3))
