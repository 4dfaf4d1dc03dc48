"""What a downgrade forgets."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "downgrade-mismatch"
SILENT = {
    "everything is undone": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.drop_column("users", "phone")',
    ),
    "a table takes its indexes along": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.create_index("ix_a_id", "a", ["id"])
    """,
        'op.drop_table("a")',
    ),
    "a column takes its index and constraint along": (
        """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.create_index("ix_users_phone", "users", ["phone"])
        op.create_unique_constraint("uq_users_phone", "users", ["phone"])
    """,
        'op.drop_column("users", "phone")',
    ),
    "an enum type that is dropped": (
        'op.create_table("a", sa.Column("mood", sa.Enum("x", name="mood")))',
        """
        op.drop_table("a")
        sa.Enum(name="mood").drop(op.get_bind())
    """,
    ),
    "an enum type that is dropped in SQL": (
        'op.create_table("a", sa.Column("mood", sa.Enum("x", name="mood")))',
        """
        op.drop_table("a")
        op.execute("DROP TYPE mood")
    """,
    ),
    "an enum type that somebody else makes": (
        """
        from sqlalchemy.dialects import postgresql
        op.create_table("a", sa.Column("mood", postgresql.ENUM(name="mood", create_type=False)))
    """,
        'op.drop_table("a")',
    ),
    "an enum that is a text": (
        'op.create_table("a", sa.Column("mood", sa.Enum("x", name="mood", native_enum=False)))',
        'op.drop_table("a")',
    ),
    "a loop over a list": (
        """
        for name in ("a", "b"):
            op.add_column("users", sa.Column(name, sa.Text()))
    """,
        """
        for name in ["b", "a"]:
            op.drop_column("users", name)
    """,
    ),
    "names that are computed": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        for name in names():
            op.drop_column("users", name)
    """,
    ),
    "code that cannot be read": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        from x import undo
        undo(op)
    """,
    ),
    "CASCADE": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.execute("DROP TABLE a CASCADE")',
    ),
    "an index that comes back with its column": (
        """
        op.drop_index("ix_users_phone", table_name="users")
        op.drop_column("users", "phone")
    """,
        'op.add_column("users", sa.Column("phone", sa.Text(), index=True))',
    ),
    "a name that comes and goes": (
        """
        op.execute("CREATE TABLE staging (a int)")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.execute("DROP TABLE staging")
    """,
        'op.drop_column("users", "phone")',
    ),
    "a declared way of no return": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', ""),
    "a new column that takes the place of an old one": (
        """
        op.add_column("users", sa.Column("code_new", sa.Text()))
        op.execute("UPDATE users SET code_new = code")
        op.drop_column("users", "code")
        op.alter_column("users", "code_new", new_column_name="code")
    """,
        'op.alter_column("users", "code", type_=sa.Integer())',
    ),
    "a new table that takes the place of an old one": (
        """
        op.create_table("a_new", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.drop_table("a")
        op.rename_table("a_new", "a")
    """,
        'op.alter_column("a", "id", type_=sa.Integer())',
    ),
    "a temporary table": (
        """
        op.execute("CREATE TEMPORARY TABLE staging AS SELECT 1 AS a")
        op.execute("CREATE INDEX ON staging (a)")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.execute("DROP TABLE IF EXISTS staging")
    """,
        'op.drop_column("users", "phone")',
    ),
    "an extension that may have been there": (
        """
        op.execute("CREATE EXTENSION IF NOT EXISTS citext")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a name in a text": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.execute("ALTER TABLE users " "DROP phone")',
    ),
}
FIRES = {
    "a column that is renamed at once": (
        """
        op.add_column("users", sa.Column("phone_new", sa.Text()))
        op.alter_column("users", "phone_new", new_column_name="phone")
        op.add_column("users", sa.Column("fax", sa.Text()))
    """,
        'op.drop_column("users", "fax")',
    ),
    "an extension": (
        """
        op.execute("CREATE EXTENSION citext")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a column": (
        """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.add_column("users", sa.Column("fax", sa.Text()))
    """,
        'op.drop_column("users", "phone")',
    ),
    "an index": (
        """
        op.create_index("ix_users_email", "users", ["email"])
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "an enum type": ('op.create_table("a", sa.Column("mood", sa.Enum("x", name="mood")))', 'op.drop_table("a")'),
    "an enum type of a name": (
        """
        mood = sa.Enum("x", name="mood")
        mood.create(op.get_bind())
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a type in SQL": (
        """
        op.execute("CREATE TYPE mood AS ENUM ('x')")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a constraint": (
        """
        op.create_check_constraint("adult", "users", "age > 17")
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
    """,
        'op.drop_table("a")',
    ),
    "a view": (
        """
        op.execute("CREATE VIEW v AS TABLE users")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a table that is dropped": (
        """
        op.drop_table("deprecated_a")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a column that is dropped": (
        """
        op.drop_column("users", "deprecated_a")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
    ),
    "a new name": (
        """
        op.rename_table("a", "deprecated_a")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        'op.drop_column("users", "phone")',
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
        told(RULE, 'op.create_table("a", sa.Column("mood", sa.Enum("x", name="mood")))', 'op.drop_table("a")')
        == """\
v/a1.py:9: downgrade-mismatch (warning)
  downgrade() never mentions the type "mood", which upgrade() creates: it stays behind when a1 is undone, and applying it again fails or finds it there.
  Instead:
      def downgrade() -> None:
          ...  # what is there
          op.execute('DROP TYPE "mood"')
  It goes away by itself, or is meant to stay? Say so: `# allow: downgrade-mismatch -- reason`"""
    )
