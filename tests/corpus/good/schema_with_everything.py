"""A schema with a table, a type, a view and a function in it: gone with CASCADE."""

from alembic import op

revision = "schema_with_everything"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA stock")
    op.execute("CREATE TYPE stock.unit AS ENUM ('piece', 'kilo')")
    op.execute("CREATE TABLE stock.items (id serial PRIMARY KEY, unit stock.unit, price numeric CHECK (price > 0))")
    op.execute("CREATE VIEW stock.dear AS SELECT id FROM stock.items WHERE price > 1000")
    op.execute("CREATE FUNCTION stock.many() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM stock.items'")


def downgrade() -> None:
    op.execute("DROP SCHEMA stock CASCADE")
