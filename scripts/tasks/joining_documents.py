"""The JSON documents of `db.merge` and `db.rebase`: what was found, proven and done. Decides nothing."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout

from app.migrations.branches import Branches
from app.migrations.commuting import Attempt, Proof
from app.migrations.errors import NegativeAnswer
from app.migrations.history import History
from app.migrations.merging import Written
from app.migrations.reparenting import Reparenting, after
from app.migrations.whereabouts import Whereabout
from scripts.tasks import documents
from scripts.tasks.command import ROOT
from scripts.tasks.documents import Document

MERGE: Document = {
    "heads": [], "parted_at": [], "environments": [], "commutes": None, "orders": [], "revision": None, "path": None,
}  # fmt: skip
REBASE: Document = {"heads": [], "onto": None, "moves": [], "edits": [], "environments": [], "rebased": False}


@contextmanager
def answered(empty: Mapping[str, object], json: bool) -> Iterator[Document]:
    """Yield the document to be filled; with `json` print it at the end, also after a 'no', and all else on stderr."""
    document = dict(empty)
    if not json:
        yield document
        return
    try:
        with redirect_stdout(sys.stderr):
            yield document
    except NegativeAnswer:
        documents.show(document)
        raise
    documents.show(document)


def heads(history: History, ids: Sequence[str]) -> Document:
    """Return which heads there are."""
    rows = [{"revision": id_, "title": history[id_].message, "path": history[id_].path} for id_ in ids]
    return {"heads": rows}


def branches(history: History, parts: Branches, places: Sequence[Whereabout]) -> Document:
    """Return where the branches part, and which of their revisions each environment has applied."""
    own = [id_ for side in parts.sides for id_ in side.own]
    return {"parted_at": list(parts.parted_at), "environments": environments(places, own)}


def environments(places: Sequence[Whereabout], revisions: Sequence[str]) -> list[Document]:
    """Return which of these revisions each environment has applied; `applied` is null where nobody knows."""
    return [
        {
            "environment": one.name,
            "applied": None if one.applied is None else [id_ for id_ in revisions if id_ in one.applied],
            "reason": one.why or None,
        }
        for one in places
    ]


def proof(found: Proof) -> Document:
    """Return what each order gave; `differences` is against the first one."""
    differing = {attempt.order: differences for attempt, differences in found.differing}
    first = ", then ".join(found.attempts[0].order)
    rows = [
        {
            "order": list(each.order),
            "failure": _failure(each),
            "differences": [one.words(first, ", then ".join(each.order)) for one in differing.get(each.order, ())],
        }
        for each in found.attempts
    ]
    return {"commutes": found.commutes, "orders": rows}


def _failure(attempt: Attempt) -> Document | None:
    failure = attempt.failure
    if failure is None:
        return None
    return {
        "revision": failure.revision,
        "path": failure.path,
        "line": failure.error.line or None,
        "error": failure.error.text,
    }


def written(made: Written) -> Document:
    """Return the new revision; null where it did not hold, and is gone again."""
    return {} if made.failed else {"revision": made.revision, "path": os.path.relpath(made.path, ROOT)}


def moving(plan: Reparenting, places: Sequence[Whereabout]) -> Document:
    """Return which revisions move, which files change, and where they are applied."""
    return {
        "onto": plan.onto,
        "moves": list(plan.moved),
        "edits": [{"path": edit.path, "before": list(edit.before), "after": list(edit.after)} for edit in plan.edits],
        "environments": environments(places, plan.moved),
    }


def rebased(history: History, plan: Reparenting) -> Document:
    """Return the heads that there are now."""
    return {**heads(history, after(history, plan).heads), "rebased": True}
