"""What every case stands on: given.sql, and after it what the case adds."""

from pathlib import Path

from alembic import op

revision = "given"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("CREATE SCHEMA aside; ALTER TABLE alembic_version SET SCHEMA aside")
    op.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner")
    op.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    op.execute("ALTER TABLE aside.alembic_version SET SCHEMA public; DROP SCHEMA aside")
    for publication in op.get_bind().exec_driver_sql("SELECT quote_ident(pubname) FROM pg_publication").scalars():
        op.execute(f"DROP PUBLICATION {publication}")
