"""What a header and a downgrade say about the way back."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from app.migrations.checks.settings import Settings
from tests.migrations.checks.revisions import check, check_text, fired, source, told

RULE = "irreversible"
SILENT = {
    "declared, and it raises": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', ""),
    "a guard that raises before the work": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        if op.get_context().as_sql:
            raise NotImplementedError
        op.drop_column("users", "phone")
    """,
    ),
    "a condition that raises": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM users")):
            raise ValueError
        op.drop_column("users", "phone")
    """,
    ),
    "an error that is caught": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        try:
            raise ValueError
        except ValueError:
            op.drop_column("users", "phone")
    """,
    ),
    "neither declared nor raised": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        'op.drop_column("users", "phone")',
    ),
}
FIRES = {
    "raised at once": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        "raise NotImplementedError",
    ),
    "raised behind a docstring": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        '"""No."""\nraise RuntimeError("no way back")',
    ),
    "raised on both sides of a condition": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        if x:
            raise ValueError
        else:
            raise KeyError
    """,
    ),
    "raised by another function": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        refuse()


        def refuse():
            raise NotImplementedError
    """,
    ),
    "raised after some work": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        op.drop_column("users", "phone")
        raise NotImplementedError
    """,
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
            'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
            'raise NotImplementedError("the rows are gone")',
        )
        == """\
v/a1.py:12: irreversible
  downgrade() raises, and nothing says so beforehand: a downgrade across a1 stops there, with the revisions above it undone.
  Instead:
      irreversible = "the rows are gone"


      def downgrade() -> None:
          raise NotImplementedError(irreversible)
  It can be undone? Write the downgrade, and leave `irreversible` out"""
    )


@pytest.mark.parametrize("body", ["pass", "op.drop_table('a')", "return"])
def test_what_is_declared_has_to_raise(body: str) -> None:
    whole = source('op.create_table("a")').decode().replace("raise NotImplementedError(irreversible)", body)
    (found,) = check_text(whole)
    assert found.blocks
    assert found.message == (
        'irreversible says "a test", but downgrade() does not raise: plain `alembic downgrade` passes a1, and the schema '
        "is not what it is said to be."
    )


def test_a_project_without_downgrades_need_not_declare_them() -> None:
    wanted = Settings(no_downgrades=True)
    assert check('op.create_table("a")', "raise NotImplementedError", settings=wanted) == []
