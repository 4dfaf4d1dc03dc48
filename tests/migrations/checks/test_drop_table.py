"""Tables that are dropped while code may read them."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "drop-table"
SILENT = {
    "the second step": ('op.drop_table("deprecated_a")', ""),
    "the second step in a schema": ('op.execute("DROP TABLE s.deprecated_a")', ""),
    "a table made here": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.drop_table("a")
    """,
        "",
    ),
    "a name that is not known": ("op.drop_table(name)", ""),
    "a temporary one": ('op.execute("CREATE TEMP TABLE t (a int)")', ""),
    "on the way down": (
        'op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))',
        'op.drop_table("a")',
    ),
}
FIRES = {
    "a table": ('op.drop_table("a")', ""),
    "SQL": ('op.execute("DROP TABLE IF EXISTS a")', ""),
    "SQL with CASCADE": ('op.execute("DROP TABLE a CASCADE")', ""),
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: tuple[str, str]) -> None:
    assert RULE not in fired(*body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: tuple[str, str]) -> None:
    assert fired(*body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(RULE, 'op.drop_table("a", schema="s")')
        == """\
v/a1.py:9: drop-table (warning)
  Dropping "s.a" loses its rows, and breaks the code that still reads it.
  Instead:
      op.rename_table("a", "deprecated_a", schema="s")
      # in a later revision, when no running code uses it:
      op.drop_table("deprecated_a", schema="s")
  No running code reads it, nobody needs it? Say so: `# allow: drop-table -- reason`"""
    )
