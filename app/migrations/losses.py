"""What a revision's code drops: tables, columns and rows, read from its source. Never executes it.

Only what is written out can be read: a name that is computed, or SQL that is put together, is said to be unreadable
rather than passed over.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import NamedTuple

DROPPED_BY_NAME = {"drop_table": 1, "drop_column": 2}
RAW_SQL = frozenset({"execute", "text"})
IDENTIFIER = r'(?:"(?:[^"]|"")+"|[\w$]+)'
NAME = rf"({IDENTIFIER}(?:\s*\.\s*{IDENTIFIER})*)"
SQL = (
    re.compile(rf"\bDROP\s+(?:FOREIGN\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?{NAME}", re.I),
    re.compile(rf"\bTRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?{NAME}", re.I),
    re.compile(rf"\bDELETE\s+FROM\s+(?:ONLY\s+)?{NAME}", re.I),
)
SQL_COLUMN = re.compile(
    rf"\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{NAME}\s+DROP\s+(?:COLUMN\s+)(?:IF\s+EXISTS\s+)?{NAME}", re.I
)
SQL_SUSPICIOUS = re.compile(r"\b(?:DROP\s+(?:SCHEMA|OWNED)|CASCADE)\b", re.I)


class Loss(NamedTuple):
    """A table, or one column of it, whose rows or values go; `table` is "" where the code does not say which."""

    table: str
    column: str | None
    line: int

    def __str__(self) -> str:
        """Return the object in words."""
        if self.column:
            owner = f'"{self.table}"' if self.table else f"a table that line {self.line} does not name"
            return f'column "{self.column}" of {owner}'
        return f'table "{self.table}"' if self.table else f"something that line {self.line} does not name"


def losses(source: str, function: str) -> list[Loss]:
    """Return what `function` ("upgrade" or "downgrade") drops, in the order of the source; helpers in the file count.

    Source that does not parse loses nothing that can be said; Alembic itself will refuse it.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = [loss for node in _reached(functions, function) for loss in _of_function(node)]
    return list(dict.fromkeys(sorted(found, key=lambda loss: loss.line)))


def could_lose(module: Mapping[str, object], function: str) -> bool:
    """Tell from the loaded revision, ten times faster, whether `losses` has to be asked; False is certain.

    What `losses` looks for are attributes, and compiled code lists the names of all attributes that it uses.
    """
    pending, seen = [function], set()
    while pending:
        name = pending.pop()
        found = module.get(name)
        if name in seen or not isinstance(found, FunctionType):
            continue
        seen.add(name)
        if found.__globals__ is not module or found.__code__.co_name != name:  # decorated, or made elsewhere
            return True
        names = set(_names(found.__code__))
        if names & (DROPPED_BY_NAME.keys() | RAW_SQL):
            return True
        pending += names
    return function not in seen


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _reached(functions: dict[str, ast.FunctionDef], start: str) -> Iterator[ast.FunctionDef]:
    """Return the function and those of the same file that it calls, each once."""
    pending, seen = [start], set()
    while pending:
        name = pending.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        yield functions[name]
        calls = (node.func for node in ast.walk(functions[name]) if isinstance(node, ast.Call))
        pending += [func.id for func in calls if isinstance(func, ast.Name)]


def _of_function(function: ast.FunctionDef) -> Iterator[Loss]:
    batches = dict(_batches(function))
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in DROPPED_BY_NAME:
                yield _dropped(node, node.func, batches)
            elif node.func.attr in RAW_SQL:
                yield from _of_sql(node)


def _batches(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Return the names that `with op.batch_alter_table("t") as name` gives, and their tables."""
    for node in ast.walk(function):
        for item in node.items if isinstance(node, ast.With) else ():
            call, name = item.context_expr, item.optional_vars
            if isinstance(call, ast.Call) and isinstance(name, ast.Name) and call.args:
                yield name.id, _text(call.args[0]) or ""


def _dropped(call: ast.Call, func: ast.Attribute, batches: dict[str, str]) -> Loss:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if func.attr == "drop_table":
        table = _text(call.args[0] if call.args else named.get("table_name"))
        return Loss(_qualified(table, named.get("schema")), None, call.lineno)
    if isinstance(func.value, ast.Name) and func.value.id in batches:
        column = _text(call.args[0] if call.args else named.get("column_name"))
        return Loss(batches[func.value.id], column, call.lineno)
    table = _text(call.args[0] if call.args else named.get("table_name"))
    column = _text(call.args[1] if len(call.args) > 1 else named.get("column_name"))
    return Loss(_qualified(table, named.get("schema")), column or "?", call.lineno)


def _of_sql(call: ast.Call) -> Iterator[Loss]:
    text = _text(call.args[0]) if call.args else None
    if text is None:
        return
    for pattern in SQL:
        yield from (Loss(_plain(found[1]), None, call.lineno) for found in pattern.finditer(text))
    yield from (Loss(_plain(found[1]), _plain(found[2]), call.lineno) for found in SQL_COLUMN.finditer(text))
    if SQL_SUSPICIOUS.search(text):
        yield Loss("", None, call.lineno)


def _text(node: ast.expr | None) -> str | None:
    """Return the text of a string that is written out, also as several pieces; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None or right is None else left + right
    return None


def _qualified(table: str | None, schema: ast.expr | None) -> str:
    prefix = _text(schema)
    return f"{prefix}.{table}" if table and prefix else table or ""


def _plain(name: str) -> str:
    parts = re.findall(IDENTIFIER, name)
    return ".".join(part[1:-1].replace('""', '"') if part.startswith('"') else part.lower() for part in parts)
