"""A guard against doing it twice, which the way down does not take back.

Stage: after-upgrade-again
Found: column public.accounts.theme lost
"""

import sqlalchemy as sa
from alembic import op

revision = "nothing_the_second_time"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE done (what text PRIMARY KEY);
"""


def upgrade() -> None:
    if not op.get_bind().scalar(sa.text("SELECT count(*) FROM done WHERE what = 'theme'")):
        op.add_column("accounts", sa.Column("theme", sa.Text()))
        op.execute("INSERT INTO done VALUES ('theme')")


def downgrade() -> None:
    op.drop_column("accounts", "theme")
