"""Columns that the rows of a table cannot have."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "not-null-without-default"
SILENT = {
    "nullable": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', ""),
    "nullable is the default": ('op.add_column("users", sa.Column("phone", sa.Text()))', ""),
    "with a default": ('op.add_column("users", sa.Column("phone", sa.Text(), server_default="", nullable=False))', ""),
    "with a function as default": (
        'op.add_column("users", sa.Column("phone", sa.DateTime(), server_default=sa.func.now(), nullable=False))',
        "",
    ),
    "a number of its own": (
        'op.add_column("users", sa.Column("phone", sa.BigInteger(), sa.Identity(), nullable=False))',
        "",
    ),
    "computed": ('op.add_column("users", sa.Column("phone", sa.Text(), sa.Computed("name"), nullable=False))', ""),
    "of a new table": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.add_column("a", sa.Column("b", sa.Text(), nullable=False))
    """,
        "",
    ),
    "of a table whose name is not known": ('op.add_column(table, sa.Column("b", sa.Text(), nullable=False))', ""),
    "a value that is not known": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=optional))', ""),
    "arguments that are not known": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=False, **options))',
        "",
    ),
    "a column that is not written here": ('op.add_column("users", make())', ""),
    "SQL with a default": ("""op.execute("ALTER TABLE users ADD phone text NOT NULL DEFAULT ''")""", ""),
    "on the way down": (
        'op.drop_column("users", "phone")',
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=False))',
    ),
}
FIRES = {
    "a column": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=False))', ""),
    "a default of Python's own": (
        'op.add_column("users", sa.Column("phone", sa.Text(), default="", nullable=False))',
        "",
    ),
    "a server_default of None": (
        'op.add_column("users", sa.Column("phone", sa.Text(), server_default=None, nullable=False))',
        "",
    ),
    "SQL": ('op.execute("ALTER TABLE users ADD COLUMN phone text NOT NULL")', ""),
    "a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.add_column(sa.Column("phone", sa.Text(), nullable=False))
    """,
        "",
    ),
    "a column with a name": (
        """
        phone = sa.Column("phone", sa.Text(), nullable=False)
        op.add_column("users", phone)
    """,
        "",
    ),
    "a loop": (
        """
        for name in ["phone"]:
            op.add_column("users", sa.Column(name, sa.Text(), nullable=False))
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
        told(RULE, 'op.add_column("users", sa.Column("phone", sa.Text(), nullable=False))')
        == """\
v/a1.py:9: not-null-without-default (warning)
  "users"."phone" is NOT NULL and has no default: this fails as soon as "users" has a row.
  Instead:
      op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
      # let the code write it, give the old rows a value in batches;
      # in a later revision, when no running code uses it:
      op.execute('ALTER TABLE "users" ADD CONSTRAINT "ck_users_phone_not_null" CHECK ("phone" IS NOT NULL) NOT VALID')
      # in the next revision:
      op.execute('ALTER TABLE "users" VALIDATE CONSTRAINT "ck_users_phone_not_null"')
      op.alter_column("users", "phone", nullable=False)
      op.execute('ALTER TABLE "users" DROP CONSTRAINT "ck_users_phone_not_null"')
  The table has no row anywhere? Say so: `# allow: not-null-without-default -- reason`"""
    )
