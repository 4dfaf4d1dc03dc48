"""The statements are put together at run time, from names that the catalog gives."""

import sqlalchemy as sa
from alembic import op

revision = "computed_sql"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for (name,) in (
        op.get_bind().execute(sa.text("SELECT relname FROM pg_class WHERE relname IN ('accounts', 'orders')")).all()
    ):
        op.execute(f'ALTER TABLE "{name}" ADD COLUMN imported boolean')


def downgrade() -> None:
    for name in sa.inspect(op.get_bind()).get_table_names():
        if name in {"accounts", "orders"}:
            op.drop_column(name, "imported")
