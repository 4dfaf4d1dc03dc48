"""Names with capitals, spaces, dots and quotes in them."""

import sqlalchemy as sa
from alembic import op

revision = "strange_names"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'Große "Tabelle"',
        sa.Column("Id", sa.Integer(), primary_key=True),
        sa.Column("der.Wert", sa.Text(), nullable=False),
        sa.UniqueConstraint("der.Wert", name='uq "x" on y'),
    )
    op.create_index("ix a.b", 'Große "Tabelle"', ["der.Wert"])


def downgrade() -> None:
    op.drop_index("ix a.b", 'Große "Tabelle"')
    op.drop_table('Große "Tabelle"')
