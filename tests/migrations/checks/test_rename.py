"""Names that running code looks for."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "rename"
SILENT = {
    "the first step of dropping a column": ('op.alter_column("users", "name", new_column_name="deprecated_name")', ""),
    "the first step of dropping a table": ('op.rename_table("a", "deprecated_a")', ""),
    "the way back from it": ('op.rename_table("deprecated_a", "a")', ""),
    "with a view of the old name": (
        """
        op.rename_table("a", "b")
        op.execute("CREATE VIEW a AS TABLE b")
    """,
        "",
    ),
    "of a table made here": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.rename_table("a", "b")
    """,
        "",
    ),
    "an index": ('op.execute("ALTER INDEX a RENAME TO b")', ""),
    "a constraint": ('op.execute("ALTER TABLE a RENAME CONSTRAINT b TO c")', ""),
    "names that are not known": ('op.alter_column("users", old, new_column_name=new)', ""),
    "no new name": ('op.alter_column("users", "name", new_column_name=None, nullable=True)', ""),
    "on the way down": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.alter_column("users", "phone", new_column_name="tel")',
    ),
}
FIRES = {
    "a column": ('op.alter_column("users", "name", new_column_name="full_name")', ""),
    "a table": ('op.rename_table("a", "b")', ""),
    "a column in SQL": ('op.execute("ALTER TABLE users RENAME name TO full_name")', ""),
    "a table in SQL": ('op.execute("ALTER TABLE a RENAME TO b")', ""),
    "a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.alter_column("name", new_column_name="full_name")
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
        told(RULE, 'op.alter_column("users", "name", new_column_name="full_name", existing_type=sa.String(30))')
        == """\
v/a1.py:9: rename (warning)
  From this commit on, the code that is still running finds no "users"."name": its queries fail until it is replaced.
  Instead:
      op.add_column("users", sa.Column("full_name", sa.String(30), nullable=True))
      # let the code write both, give the old rows their values in batches, let it read the new one;
      # in a later revision, when no running code uses it:
      op.alter_column("users", "name", new_column_name="deprecated_name")
  No running code uses it? Say so: `# allow: rename -- reason`"""
    )
