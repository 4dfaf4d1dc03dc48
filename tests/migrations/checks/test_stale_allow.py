"""Comments that silence nothing."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "stale-allow"
SILENT = {
    "one that is needed": 'op.drop_column("users", "phone")  # allow: drop-column -- nobody reads it',
    "on the line above": """
        # allow: drop-column -- nobody reads it
        op.drop_column("users", "phone")
    """,
    "above other comments": """
        # allow: drop-column -- nobody reads it
        # and more

        op.drop_column("users", "phone")
    """,
    "at the end of a statement of several lines": """
        op.drop_column(
            "users",
            "phone",
        )  # allow: drop-column -- nobody reads it
    """,
    "above a block": """
        # allow: index-not-concurrent -- small
        op.create_index("ix_users_email", "users", ["email"])
    """,
}
FIRES = {
    "nothing there": 'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))  # allow: drop-column -- nobody reads it',
    "two lines above": """
        # allow: drop-column -- nobody reads it
        pass
        op.drop_column("users", "phone")
    """,
    "a misspelt rule": 'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))  # allow: drop-colunm -- nobody reads it',
    "another rule": 'op.drop_column("users", "phone")  # allow: drop-table -- nobody reads it',
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
            'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))  # allow: drop-colunm -- nobody reads it',
        )
        == """\
v/a1.py:9: stale-allow (warning)
  `# allow: drop-colunm` silences nothing: drop-colunm is no rule.
  next: delete the comment, or correct its rule"""
    )
