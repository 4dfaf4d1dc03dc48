"""The header of one revision file, from its syntax tree: checks the values as Alembic does. Never executes it."""

from collections.abc import Mapping

from app.migrations import bindings
from app.migrations.bindings import Bound, Unreadable
from app.migrations.header_scan import NAMES
from app.migrations.headers import ILLEGAL, Fault, Revision, title


def read(path: str, source: bytes) -> Revision | Fault:
    """Return the revision in a file, or why it cannot be known. Never raises, whatever the bytes are."""
    try:
        header, docstring = bindings.read(source, NAMES)
    except bindings.ERRORS as error:
        line = getattr(error, "lineno", None) or 1
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        return Fault(path, line, "syntax-error", f"Python cannot read this file: {reason}", "correct the file")
    return _assembled(path, header, docstring)


def _assembled(path: str, header: Mapping[str, Bound], docstring: str) -> Revision | Fault:
    """Check the values as Alembic does, and make them one."""
    stem = path[path.rfind("/") + 1 : -len(".py")]
    if "revision" not in header and stem and not stem.strip("abcdef0123456789"):
        header = {**header, "revision": Bound(stem, 1)}
    for name in NAMES:
        fault = _fault(name, header.get(name))
        if fault:
            line = header[name].line if name in header else 1
            return Fault(path, line, *fault)
    reason = header["irreversible"].value if "irreversible" in header else None
    return Revision(
        str(header["revision"].value),
        _strings(header["down_revision"]),
        _strings(header.get("depends_on")),
        _strings(header.get("branch_labels")),
        path,
        header["revision"].line,
        None if reason is None else str(reason),
        title(docstring),
    )


def _fault(name: str, bound: Bound | None) -> tuple[str, str, str] | None:
    """Return rule, message and cure for a value that Alembic refuses or that cannot be read."""
    if bound is None:
        return _MISSING.get(name)
    value = bound.value
    if isinstance(value, Unreadable):
        return "unreadable-header", f"{name} {value.reason}: the history cannot be read", _INSTEAD[name]
    alone = name in {"revision", "irreversible"}
    items = [value] if isinstance(value, str) or alone else value
    if name != "revision" and value is None:
        return None
    if not isinstance(items, (list, tuple, set)) or not all(isinstance(item, str) and item for item in items):
        return "wrong-header", f"{name} is {_shown(value)}, {_ACCEPTED[name]}", _INSTEAD[name]
    if name == "revision" and not ILLEGAL.isdisjoint(str(value)):
        return (
            "wrong-header",
            f"the id {_shown(value)} holds one of {' '.join(sorted(ILLEGAL))}, which Alembic refuses",
            _RENAME,
        )
    return None


def _shown(value: object) -> str:
    """Return a value for a message; a set always in the same order."""
    if isinstance(value, set):
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits
        return f"of the type {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _strings(bound: Bound | None) -> tuple[str, ...]:
    value = bound.value if bound else None
    if isinstance(value, str):
        return (value,)
    items = [str(item) for item in value] if isinstance(value, (list, tuple, set)) else []
    return tuple(sorted(items) if isinstance(value, set) else items)


_RENAME = "choose an id of letters, digits and underscores, here and in the revisions that name it"
_MISSING = {
    "revision": (
        "not-a-revision",
        "this file assigns no `revision`: Alembic loads every .py file of the folder, and stops at this one",
        'revision = "..." if it is one; else move it out of the folder',
    ),
    "down_revision": (
        "not-a-revision",
        "this file assigns no `down_revision`: Alembic cannot place it",
        'down_revision = "..." with the id of its parent; None for the first revision',
    ),
}
_SEVERAL = "neither a string, nor a tuple or list of strings, nor None"
_ACCEPTED = {
    "revision": "not a string that can be an id",
    "down_revision": _SEVERAL,
    "branch_labels": _SEVERAL,
    "depends_on": _SEVERAL,
    "irreversible": "not a string that says why",
}
_INSTEAD = {
    "revision": 'write the id out, once and at the left margin: revision = "..."',
    "down_revision": 'write the parent out, once and at the left margin: down_revision = "...", ("...", "...") or None',
    "branch_labels": 'write them out, once and at the left margin: branch_labels = ("...",) or None',
    "depends_on": 'write the ids out, once and at the left margin: depends_on = "...", ("...", "...") or None',
    "irreversible": 'write the reason out, once and at the left margin: irreversible = "..."',
}
