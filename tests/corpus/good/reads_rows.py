"""Reads the rows and writes each of them, in Python."""

import sqlalchemy as sa
from alembic import op

revision = "reads_rows"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("domain", sa.Text()))
    bind = op.get_bind()
    for id_, email in bind.execute(sa.text("SELECT id, email FROM accounts ORDER BY id")).all():
        bind.execute(
            sa.text("UPDATE accounts SET domain = :d WHERE id = :i"), {"d": email.rpartition("@")[2], "i": id_}
        )


def downgrade() -> None:
    op.drop_column("accounts", "domain")
