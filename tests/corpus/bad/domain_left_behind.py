"""The column goes, its domain stays.

Stage: after-downgrade
Found: domain public.postcode left behind
"""

from alembic import op

revision = "domain_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE DOMAIN postcode AS text CHECK (VALUE <> '')")
    op.execute("ALTER TABLE accounts ADD COLUMN postcode postcode")


def downgrade() -> None:
    op.drop_column("accounts", "postcode")
