"""Types for which a table is written anew."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "type-change"
SILENT = {
    "a text without regard to case": (
        """
        from sqlalchemy.dialects import postgresql
        op.alter_column("users", "age", type_=postgresql.CITEXT(), existing_type=sa.String(30))
    """,
        "",
    ),
    "a longer varchar": ('op.alter_column("users", "age", type_=sa.String(60), existing_type=sa.String(30))', ""),
    "a varchar without a length": (
        'op.alter_column("users", "age", type_=sa.String(), existing_type=sa.String(30))',
        "",
    ),
    "text in place of varchar": (
        'op.alter_column("users", "age", type_=sa.Text(), existing_type=sa.String(length=30))',
        "",
    ),
    "varchar in place of text": ('op.alter_column("users", "age", type_=sa.String(), existing_type=sa.Text())', ""),
    "more digits": ('op.alter_column("users", "age", type_=sa.Numeric(12, 2), existing_type=sa.Numeric(10, 2))', ""),
    "numeric without limits": (
        'op.alter_column("users", "age", type_=sa.Numeric(), existing_type=sa.Numeric(10, 2))',
        "",
    ),
    "the same type": ('op.alter_column("users", "age", type_=sa.Integer(), existing_type=sa.INTEGER())', ""),
    "cidr to inet": (
        """
        from sqlalchemy.dialects import postgresql
        op.alter_column("users", "age", type_=postgresql.INET(), existing_type=postgresql.CIDR())
    """,
        "",
    ),
    "text, from what is not known": ('op.alter_column("users", "age", type_=sa.Text())', ""),
    "a type that is not known": ('op.alter_column("users", "age", type_=MyType(), existing_type=sa.Integer())', ""),
    "of a table made here": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.alter_column("a", "id", type_=sa.Text(), existing_type=sa.Integer())
    """,
        "",
    ),
    "no new type": ('op.alter_column("users", "age", existing_type=sa.Integer(), nullable=True)', ""),
    "text in SQL": ('op.execute("ALTER TABLE users ALTER age TYPE text")', ""),
    "on the way down": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.alter_column("users", "age", type_=sa.BigInteger(), existing_type=sa.Integer())',
    ),
}
FIRES = {
    "a larger integer": ('op.alter_column("users", "age", type_=sa.BigInteger(), existing_type=sa.Integer())', ""),
    "a larger integer, from what is not known": ('op.alter_column("users", "age", type_=sa.BigInteger())', ""),
    "a shorter varchar": ('op.alter_column("users", "age", type_=sa.String(10), existing_type=sa.String(30))', ""),
    "a varchar with a length, from text": (
        'op.alter_column("users", "age", type_=sa.String(10), existing_type=sa.Text())',
        "",
    ),
    "other decimals": ('op.alter_column("users", "age", type_=sa.Numeric(12, 4), existing_type=sa.Numeric(12, 2))', ""),
    "a time zone": (
        'op.alter_column("users", "age", type_=sa.DateTime(timezone=True), existing_type=sa.DateTime())',
        "",
    ),
    "jsonb": (
        """
        from sqlalchemy.dialects.postgresql import JSONB
        op.alter_column("users", "age", type_=JSONB(), existing_type=sa.JSON())
    """,
        "",
    ),
    "SQL": ('op.execute("ALTER TABLE users ALTER COLUMN age SET DATA TYPE bigint USING age::bigint")', ""),
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: tuple[str, str]) -> None:
    assert RULE not in fired(*body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: tuple[str, str]) -> None:
    assert fired(*body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(RULE, 'op.alter_column("users", "age", type_=sa.BigInteger(), existing_type=sa.Integer())')
        == """\
v/a1.py:9: type-change (warning)
  Changing "users"."age" from integer to bigint writes "users" anew; nobody can read or write it meanwhile.
  Instead:
      op.add_column("users", sa.Column("age_bigint", sa.BigInteger(), nullable=True))
      # let the code write both, give the old rows their values in batches, let it read the new one;
      # in a later revision, when no running code uses it:
      op.alter_column("users", "age", new_column_name="deprecated_age")
  The table is small? Say so: `# allow: type-change -- reason`"""
    )
