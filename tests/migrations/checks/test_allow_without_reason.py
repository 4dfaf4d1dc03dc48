"""Comments that silence a rule and say no reason."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "allow-without-reason"
SILENT = {
    "a reason": 'op.drop_column("users", "phone")  # allow: drop-column -- nobody reads it',
    "another comment": 'op.drop_column("users", "phone")  # nobody reads it',
    "a text": 'x = "# allow: drop-column"',
}
FIRES = {
    "no reason": 'op.drop_column("users", "phone")  # allow: drop-column',
    "an empty one": 'op.drop_column("users", "phone")  # allow: drop-column --',
    "on a line of its own": """
        # allow: drop-column
        op.drop_column("users", "phone")
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
        told(RULE, 'op.drop_column("users", "phone")  # allow: drop-column')
        == """\
v/a1.py:9: allow-without-reason (warning)
  `# allow: drop-column` gives no reason, and silences nothing.
  next: # allow: drop-column -- why this is right here"""
    )
