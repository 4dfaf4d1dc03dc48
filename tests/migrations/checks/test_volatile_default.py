"""Defaults that are another value for every row."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "volatile-default"
SILENT = {
    "a constant": 'op.add_column("users", sa.Column("phone", sa.Text(), server_default="random()"))',
    "now()": 'op.add_column("users", sa.Column("phone", sa.DateTime(), server_default=sa.func.now()))',
    "CURRENT_TIMESTAMP": 'op.add_column("users", sa.Column("phone", sa.DateTime(), server_default=sa.text("CURRENT_TIMESTAMP")))',
    "a function that is not known": 'op.add_column("users", sa.Column("phone", sa.Text(), server_default=sa.text("my_function()")))',
    "of a new table": """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.add_column("a", sa.Column("t", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))
    """,
    "a default for rows to come": 'op.alter_column("users", "token", server_default=sa.text("gen_random_uuid()"))',
    "computed when it is read, or not": 'op.add_column("users", sa.Column("phone", sa.Text(), sa.Computed("name")))',
    "a default of Python's own": 'op.add_column("users", sa.Column("phone", sa.Uuid(), default=uuid4))',
}
FIRES = {
    "a random uuid": 'op.add_column("users", sa.Column("phone", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))',
    "a function of SQLAlchemy's": 'op.add_column("users", sa.Column("phone", sa.DateTime(), server_default=sa.func.clock_timestamp()))',
    "a sequence": """op.add_column("users", sa.Column("phone", sa.BigInteger(), server_default=sa.text("nextval('s')")))""",
    "identity": 'op.add_column("users", sa.Column("phone", sa.BigInteger(), sa.Identity()))',
    "computed and stored": 'op.add_column("users", sa.Column("phone", sa.Text(), sa.Computed("name", persisted=True)))',
    "SQL": 'op.execute("ALTER TABLE users ADD token uuid DEFAULT gen_random_uuid() NOT NULL")',
    "serial": 'op.execute("ALTER TABLE users ADD number bigserial")',
    "stored in SQL": 'op.execute("ALTER TABLE users ADD up text GENERATED ALWAYS AS (upper(name)) STORED")',
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: str) -> None:
    assert RULE not in fired(body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: str) -> None:
    assert fired(body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(RULE, 'op.add_column("users", sa.Column("phone", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))')
        == """\
v/a1.py:9: volatile-default (warning)
  "users"."phone" gets another value from gen_random_uuid() for every row: "users" is written anew, and nobody can read or write it meanwhile.
  Instead:
      op.add_column("users", sa.Column("phone", sa.Uuid(), nullable=True))
      op.execute('ALTER TABLE "users" ALTER COLUMN "phone" SET DEFAULT gen_random_uuid()')
      # then give the old rows their values in batches
  The table is small? Say so: `# allow: volatile-default -- reason`"""
    )
