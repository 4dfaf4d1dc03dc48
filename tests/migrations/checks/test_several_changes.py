"""Changes that have nothing to do with each other."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "several-changes"
SILENT = {
    "a table with its indexes": """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.create_index("ix_a_id", "a", ["id"])
    """,
    "tables that refer to each other": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("b", sa.Column("a_id", sa.Integer(), sa.ForeignKey("a.id")))
    """,
    "a table and a column that refers to it": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("users", sa.Column("a_id", sa.Integer(), sa.ForeignKey("a.id")))
    """,
    "a constraint that refers": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("b", sa.Column("a_id", sa.Integer()), sa.ForeignKeyConstraint(["a_id"], ["a.id"]))
    """,
    "a key between them": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_foreign_key("fk", "users", "a", ["a_id"], ["id"])
    """,
    "the same column of several tables": """
        op.add_column("a", sa.Column("at", sa.Date()))
        op.add_column("b", sa.Column("at", sa.Date()))
    """,
    "the same operation on several tables": """
        op.alter_column("a", "at", nullable=True)
        op.alter_column("b", "on", nullable=True)
    """,
    "a loop": """
        for name in ("a", "b"):
            op.add_column(name, sa.Column(name, sa.Date()))
    """,
    "a type and its table": """
        op.execute("CREATE TYPE mood AS ENUM ('x')")
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
    """,
    "tables in SQL that refer": """
        op.execute("CREATE TABLE a (id int PRIMARY KEY)")
        op.execute("CREATE TABLE b (a_id int REFERENCES a)")
    """,
    "code that cannot be read": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("b", sa.Column("id", sa.Integer(), primary_key=True))
        op.execute(more)
    """,
    "a view, whose tables are not known": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.execute("CREATE VIEW v AS TABLE b")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
}
FIRES = {
    "two tables": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("b", sa.Column("id", sa.Integer(), primary_key=True))
    """,
    "a table and a column": """
        op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
    "columns of other names": """
        op.add_column("a", sa.Column("x", sa.Date()))
        op.add_column("b", sa.Column("y", sa.Date()))
    """,
    "a column and an index": """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.create_index("ix", "b", ["y"])
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
            """op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))""",
        )
        == """\
v/a1.py:10: several-changes (warning)
  This revision changes "a", "users", which nothing here connects: what is wrong with one of them cannot be undone alone.
  Instead:
      op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
      # in the next revision:
      op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
  They are one change? Say so: `# allow: several-changes -- reason`"""
    )
