"""CONCURRENTLY where PostgreSQL refuses it."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "concurrently-in-transaction"
SILENT = {
    "in an autocommit block": (
        """
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "a block of the context's own": (
        """
        context = op.get_context()
        with context.autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "raw SQL in a block": (
        """
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY ix ON users (email)")
    """,
        "",
    ),
    "another function, called in a block": (
        """
        with op.get_context().autocommit_block():
            build()


        def build():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "a block around a loop": (
        """
        with op.get_context().autocommit_block():
            for name in ("a", "b"):
                op.create_index(f"ix_{name}", "users", [name], postgresql_concurrently=True)
    """,
        "",
    ),
    "not concurrently": ('op.create_index("ix_users_email", "users", ["email"])', ""),
    "switched off": ('op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=False)', ""),
    "a value that is not known": (
        'op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=fast)',
        "",
    ),
    "arguments that are not known": ('op.create_index("ix_users_email", "users", ["email"], **options)', ""),
    "behind a COMMIT of its own": (
        """
        op.execute("COMMIT")
        op.execute("CREATE INDEX CONCURRENTLY ix ON users (email)")
    """,
        "",
    ),
    "in a context manager that is not known": (
        """
        with outside_of_transactions():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "a connection that commits by itself": (
        """
        op.get_bind().execution_options(isolation_level="AUTOCOMMIT")
        op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "offline only": (
        """
        from alembic import context
        if context.is_offline_mode():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "another dialect": (
        """
        if op.get_bind().dialect.name == "sqlite":
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "a refresh, which may": ('op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY v")', ""),
    "in a text": ("""op.execute("COMMENT ON TABLE users IS 'CREATE INDEX CONCURRENTLY'")""", ""),
}
FIRES = {
    "an index": ('op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)', ""),
    "an index that is dropped": ('op.drop_index("ix", table_name="users", postgresql_concurrently=True)', ""),
    "raw SQL": ('op.execute("create unique index concurrently if not exists ix on users (email)")', ""),
    "raw SQL that is dropped": ('op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix")', ""),
    "raw SQL of the connection": (
        'op.get_bind().execute(sa.text("CREATE INDEX CONCURRENTLY ix ON users (email)"))',
        "",
    ),
    "REINDEX": ('op.execute("REINDEX INDEX CONCURRENTLY ix")', ""),
    "a partition that is detached": ('op.execute("ALTER TABLE a DETACH PARTITION b CONCURRENTLY")', ""),
    "beside a block": (
        """
        with op.get_context().autocommit_block():
            op.execute("SELECT 1")
        op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "in a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.create_index("ix", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "under a condition": (
        """
        if missing():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "with a name for op": (
        """
        from alembic import op as o
        o.create_index("ix", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "together with another statement": (
        """
        with op.get_context().autocommit_block():
            op.execute("DROP INDEX IF EXISTS ix; CREATE INDEX CONCURRENTLY ix ON users (email)")
    """,
        "",
    ),
    "on the way down": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
        op.drop_column("users", "phone")
    """,
    ),
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: tuple[str, str]) -> None:
    assert RULE not in fired(*body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: tuple[str, str]) -> None:
    assert fired(*body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(RULE, 'op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)')
        == """\
v/a1.py:9: concurrently-in-transaction
  Creating the index "ix_users_email" CONCURRENTLY inside the migration's transaction is refused by PostgreSQL: this revision fails wherever it is run.
  Instead:
      with op.get_context().autocommit_block():
          op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
  The connection commits by itself here? Say so: `# allow: concurrently-in-transaction -- reason`"""
    )
