"""Indexes that block a table in use."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "index-not-concurrent"
SILENT = {
    "concurrently": (
        """
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "of a new table": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.create_index("ix_a_id", "a", ["id"])
    """,
        "",
    ),
    "of a new table in a schema": (
        """
        op.create_table("a", sa.Column("id", sa.Integer()), schema="s")
        op.create_index("ix", "a", ["id"], schema="s")
    """,
        "",
    ),
    "of a new table in public": (
        """
        op.create_table("a", sa.Column("id", sa.Integer()), schema="public")
        op.execute("CREATE INDEX ix ON a (id)")
    """,
        "",
    ),
    "of a new table in SQL": (
        'op.execute("CREATE TABLE IF NOT EXISTS a (id int); CREATE INDEX ix ON public.a (id)")',
        "",
    ),
    "of a new table under its new name": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.rename_table("a", "b")
        op.create_index("ix_b_id", "b", ["id"])
    """,
        "",
    ),
    "of a table whose name is not known": ('op.create_index("ix", table, ["id"])', ""),
    "a value that is not known": (
        'op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=fast)',
        "",
    ),
    "an index that is attached": ('op.execute("ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX u")', ""),
    "an index dropped with its table": (
        """
        op.drop_index("ix_a_id", table_name="deprecated_a")
        op.drop_table("deprecated_a")
    """,
        "",
    ),
    "on the way down": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        op.create_index("ix_users_email", "users", ["email"])
        op.drop_column("users", "phone")
    """,
    ),
    "offline only": (
        """
        from alembic import context
        if context.is_offline_mode():
            op.create_index("ix_users_email", "users", ["email"])
    """,
        "",
    ),
}
FIRES = {
    "an index": ('op.create_index("ix_users_email", "users", ["email"])', ""),
    "a unique index": ('op.create_index("ix_users_email", "users", ["email"], unique=True)', ""),
    "raw SQL": ('op.execute("CREATE INDEX ix ON users (email)")', ""),
    "an index that is dropped": ('op.drop_index("ix_users_email", table_name="users")', ""),
    "an index that is dropped by its name alone": ('op.drop_index("ix_users_email")', ""),
    "a unique constraint": ('op.create_unique_constraint("uq_users_email", "users", ["email"])', ""),
    "a unique column": ('op.add_column("users", sa.Column("phone", sa.Text(), unique=True))', ""),
    "an indexed column": ('op.add_column("users", sa.Column("phone", sa.Text(), index=True))', ""),
    "a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.create_index("ix", ["email"])
    """,
        "",
    ),
    "a new table beside it": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.create_index("ix_users_email", "users", ["email"])
    """,
        "",
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
        told(RULE, 'op.create_index("ix_users_email", "users", ["email"])')
        == """\
v/a1.py:9: index-not-concurrent (warning)
  Creating the index "ix_users_email" blocks writes to "users" until it is built.
  Instead:
      with op.get_context().autocommit_block():
          op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
  The table is small? Say so: `# allow: index-not-concurrent -- reason`"""
    )
