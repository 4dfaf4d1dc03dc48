"""Imports of code that goes on changing."""

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "model-import"
SILENT = {
    "the usual ones": """
        import datetime
        from sqlalchemy.dialects import postgresql
    """,
    "a library": "from pgvector.sqlalchemy import Vector",
    "for type checkers": """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from app.models import User
    """,
    "a name that begins like the project": "import application",
    "alembic": "from alembic import context",
}
FIRES = {
    "a model": "from app.models import User",
    "a module": "import app.models.user",
    "a neighbour": "from . import helpers",
    "under a condition": """
        if x:
            from app.models import User
    """,
    "in another function": """
        work()


        def work():
            from app import models
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
        told(RULE, "from app.models.user import User, normalised")
        == """\
v/a1.py:9: model-import (warning)
  app.models.user will go on changing, and this migration will not: it fails once they no longer fit.
  Instead:
      User = sa.table("users", sa.column("id"))  # the table as it is now, and the columns used here
      # write into this file what normalised is today
  What is imported can never change? Say so: `# allow: model-import -- reason`"""
    )


def test_an_enum_is_not_taken_for_a_table() -> None:
    said = told(RULE, "from app.models.mood import Mood\nop.add_column('a', sa.Column('m', sa.Enum(Mood)))")
    assert 'next: # write the values of Mood as they are today: sa.Enum("...", name="...")\n' in said
    assert "sa.table" not in said


def test_a_class_that_is_no_model_is_not_taken_for_a_table() -> None:
    said = told(RULE, "from app.types import GUID")
    assert "next: # write into this file what GUID is today\n" in said
