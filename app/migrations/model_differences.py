"""What `alembic check` finds between models and a schema, in words. Never connects."""

from collections.abc import Iterable, Iterator
from typing import Any


def words(found: Iterable[Any]) -> Iterator[str]:
    """Say each of the differences that Alembic lists: tuples, and lists of tuples for the changes of one column."""
    for difference in found:
        if isinstance(difference, list):
            yield from words(difference)
        else:
            yield _sentence(*difference)


def _sentence(action: str, *parts: Any) -> str:
    verb, _, noun = action.partition("_")
    if verb == "modify" and len(parts) >= 6:
        schema, table, column, _, before, after = parts[:6]
        return (
            f"column {_dotted(schema, table, column)}: {noun} is {_shown(after)} in the models, {_shown(before)} there"
        )
    subject = f"{_kind(noun)} {_named(noun, parts)}"
    if verb == "add":
        return f"{subject} is only in the models"
    if verb == "remove":
        return f"{subject} is missing in the models"
    return f"{subject}: {action.replace('_', ' ')}"


def _kind(noun: str) -> str:
    return {"fk": "foreign key", "constraint": "constraint", "table_comment": "comment of table"}.get(noun, noun)


def _named(noun: str, parts: tuple[Any, ...]) -> str:
    if noun == "column":
        schema, table, column = parts[:3]
        return _dotted(schema, table, column.name)
    one = parts[0]
    table = getattr(one, "table", None)
    if table is None:
        return _dotted(getattr(one, "schema", None), getattr(one, "name", None) or str(one))
    columns = ", ".join(column.name for column in getattr(one, "columns", ()))
    return f"{one.name or f'({columns})'} ON {_dotted(table.schema, table.name)}"


def _dotted(*names: str | None) -> str:
    return ".".join(str(name) for name in names if name)


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    argument = getattr(value, "arg", value)  # of a server default
    return f'"{argument!r}"' if type(argument).__module__.startswith("sqlalchemy.sql.sqltypes") else f'"{argument}"'
