"""Rows that no downgrade brings back."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "data-not-undone"
SILENT = {
    "rows that are brought back": (
        'op.execute("UPDATE users SET active = true")',
        'op.execute("UPDATE users SET active = false")',
    ),
    "a declared way of no return": ('op.execute("UPDATE users SET active = true")', ""),
    "a change of the schema as well": (
        """
        op.execute("UPDATE users SET active = true")
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        "pass",
    ),
    "reading": ('op.execute("SELECT 1")', "pass"),
    "nothing": ("pass", "pass"),
}
FIRES = {
    "an update": ('op.execute("UPDATE users SET active = true")', "pass"),
    "rows put in": ('op.bulk_insert(sa.table("kinds", sa.column("id")), [{"id": 1}])', "pass"),
    "a construct": (
        """
        users = sa.table("users", sa.column("name"))
        op.execute(users.update().values(name="x"))
    """,
        "pass",
    ),
    "a statement through the connection": (
        'op.get_bind().execute(sa.text("DELETE FROM users WHERE id = :id").bindparams(id=1))',
        "return",
    ),
    "rows of a query": ('op.execute("WITH old AS (SELECT 1) INSERT INTO users SELECT * FROM old")', "pass"),
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: tuple[str, str]) -> None:
    assert RULE not in fired(*body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: tuple[str, str]) -> None:
    assert fired(*body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(RULE, 'op.execute("DELETE FROM users WHERE name IS NULL")', "pass")
        == """\
v/a1.py:12: data-not-undone (warning)
  upgrade() changes rows of "users", and downgrade() leaves them so: older code will meet the new values.
  Instead:
      irreversible = "the old values of users are not kept: restore a backup"


      def downgrade() -> None:
          raise NotImplementedError(irreversible)
  Older code works with the new values? Say so: `# allow: data-not-undone -- reason`"""
    )
