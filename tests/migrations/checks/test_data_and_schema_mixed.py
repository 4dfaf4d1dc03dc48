"""Rows that are changed under the lock of a schema change."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "data-and-schema-mixed"
SILENT = {
    "rows alone": 'op.execute("UPDATE users SET active = true")',
    "schema alone": 'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
    "the first rows of a new table": """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.bulk_insert(sa.table("a", sa.column("id")), [{"id": 1}])
    """,
    "a new table filled from an old one": """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.execute("INSERT INTO a SELECT id FROM users")
    """,
    "rows of an old table beside a new one": """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.execute("UPDATE users SET active = true")
    """,
    "single rows put in": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.execute("INSERT INTO kinds (id) VALUES (1)")
    """,
    "rows of a table that is not known": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.execute(query)
    """,
    "rows in a block of their own": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        with op.get_context().autocommit_block():
            op.execute("UPDATE users SET active = true")
    """,
    "a question": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.get_bind().execute(sa.text("SELECT id FROM users FOR UPDATE"))
    """,
}
FIRES = {
    "an update behind a new column": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.execute("UPDATE users SET active = true")
    """,
    "rows deleted before a constraint": """
        op.execute("DELETE FROM users WHERE age IS NULL")
        op.alter_column("users", "age", nullable=False)
    """,
    "a construct": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        users = sa.table("users", sa.column("phone"))
        op.execute(sa.update(users).values(phone=""))
    """,
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: str) -> None:
    assert RULE not in fired(body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: str) -> None:
    assert fired(body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(
            RULE,
            """op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
op.execute("UPDATE users SET active = true")""",
        )
        == """\
v/a1.py:10: data-and-schema-mixed (warning)
  The rows of "users" are changed in the transaction that holds the lock of add column (line 9): nobody can use "users" until it ends.
  Instead:
      op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
      # in the next revision:
      op.execute("UPDATE users SET active = true")
  The rows are few? Say so: `# allow: data-and-schema-mixed -- reason`"""
    )


def test_rows_that_come_first_are_not_said_to_be_changed_under_the_lock() -> None:
    said = told(RULE, FIRES["rows deleted before a constraint"])
    assert (
        'The rows of "users" are changed in the transaction of set not null (line 10): they stay locked until that has '
        "got its own lock, and are changed anew with every try that does not get it.\n" in said
    )
