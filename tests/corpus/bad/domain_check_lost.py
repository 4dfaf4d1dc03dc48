"""The domain's check is dropped for a change and not added again.

Stage: after-downgrade
Found: constraint ck_slug ON public.slug lost
"""

from alembic import op

revision = "domain_check_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE DOMAIN slug AS text CONSTRAINT ck_slug CHECK (VALUE = lower(VALUE));
"""


def upgrade() -> None:
    op.execute("ALTER DOMAIN slug DROP CONSTRAINT ck_slug")


def downgrade() -> None:
    pass
