"""What is and what is not a downgrade that is missing."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from app.migrations.checks.settings import Settings
from tests.migrations.checks.revisions import BARRED, check, check_text, fired, source, told

RULE = "missing-downgrade"
SILENT = {
    "an upgrade that does nothing": ("pass", "pass"),
    "a merge with docstrings alone": ('"""Joins."""', '"""Joins."""'),
    "rows alone": ('op.execute("UPDATE users SET name = lower(name)")', "pass"),
    "an upgrade that only reads": ('op.get_bind().execute(sa.text("SELECT 1")).scalar()', "pass"),
    "a downgrade that works": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.drop_column("users", "phone")',
    ),
    "a guard before the work": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        if op.get_context().as_sql:
            return
        op.drop_column("users", "phone")
    """,
    ),
    "work in another function": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        undo()


        def undo():
            op.drop_column("users", "phone")
    """,
    ),
    "a declared way of no return": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', ""),
    "a downgrade that is handed on to other code": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        "helpers.undo(op)",
    ),
    "a constraint that is only validated": (
        """op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_age")""",
        "pass",
    ),
    "settings alone": ("""op.execute("SET LOCAL lock_timeout = '1s'")""", "pass"),
    "code that cannot be read": (
        """
        from x import make
        make(op)
    """,
        "pass",
    ),
}
FIRES = {
    "pass": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', "pass"),
    "a docstring": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', '"""Nothing."""'),
    "an ellipsis": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', "..."),
    "return": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', "return None"),
    "print": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', 'print("no way back")'),
    "a condition around nothing": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        if op.get_context().as_sql:
            return
        pass
    """,
    ),
    "raw SQL": ('op.execute("CREATE TABLE a (b int)")', "pass"),
    "a loop": (
        """
        for name in ("a", "b"):
            op.add_column("users", sa.Column(name, sa.Text()))
    """,
        "pass",
    ),
    "an operation in another function": (
        """
        work()


        def work():
            op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        "pass",
    ),
    "an operation beside code that cannot be read": (
        """
        from x import make
        make(op)
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        "pass",
    ),
    "a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.add_column(sa.Column("phone", sa.Text()))
    """,
        "pass",
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
        told(
            RULE,
            """mood = sa.Enum("sad", "ok", name="mood")
op.create_table("moods", sa.Column("mood", mood))
op.create_index("ix_moods_mood", "moods", ["mood"])""",
            "pass",
        )
        == """\
v/a1.py:14: missing-downgrade
  downgrade() does nothing, but upgrade() changes the schema (create table, line 10): a1 would count as undone and still be there, and applying it again may fail.
  Instead:
      def downgrade() -> None:
          op.drop_index("ix_moods_mood", table_name="moods")
          op.drop_table("moods")
          op.execute('DROP TYPE "mood"')
  It cannot be undone? Say why: `irreversible = "reason"`, and let downgrade() raise"""
    )


def test_a_function_that_is_not_there_is_missing() -> None:
    whole = source('op.drop_table("deprecated_a")').decode().replace(BARRED, "")
    (found,) = check_text(whole)
    assert (found.rule, found.line) == (RULE, 8)
    assert found.message.startswith("there is no downgrade(), but upgrade() changes the schema")


def test_what_cannot_be_undone_is_not_made_up() -> None:
    assert "raise NotImplementedError(irreversible)" in told(RULE, 'op.drop_table("deprecated_a")', "pass")


def test_a_project_without_downgrades_says_so_once() -> None:
    wanted = Settings(no_downgrades=True)
    assert check('op.drop_table("deprecated_a")', "pass", settings=wanted) == []
