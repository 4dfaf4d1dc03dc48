"""Columns that are dropped while code may read them."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "drop-column"
SILENT = {
    "the second step": ('op.drop_column("users", "deprecated_name")', ""),
    "of a table made here": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.drop_column("a", "id")
    """,
        "",
    ),
    "a column made here": (
        """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.drop_column("users", "phone")
    """,
        "",
    ),
    "a name that is not known": ('op.drop_column("users", name)', ""),
    "a table that is not known": ('op.drop_column(table, "name")', ""),
    "on the way down": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.drop_column("users", "phone")',
    ),
}
FIRES = {
    "a column": ('op.drop_column("users", "phone")', ""),
    "SQL": ('op.execute("ALTER TABLE ONLY users DROP COLUMN IF EXISTS phone")', ""),
    "SQL without the word": ('op.execute("ALTER TABLE users DROP phone, ADD fax text")', ""),
    "a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.drop_column("phone")
    """,
        "",
    ),
    "a schema": ('op.drop_column("users", "phone", schema="s")', ""),
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: tuple[str, str]) -> None:
    assert RULE not in fired(*body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: tuple[str, str]) -> None:
    assert fired(*body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(RULE, 'op.drop_column("users", "phone")')
        == """\
v/a1.py:9: drop-column (warning)
  Dropping "users"."phone" loses its values, and breaks the code that still reads it.
  Instead:
      op.alter_column("users", "phone", new_column_name="deprecated_phone")
      # in a later revision, when no running code uses it:
      op.drop_column("users", "deprecated_phone")
  No running code reads it, nobody needs it? Say so: `# allow: drop-column -- reason`"""
    )
