"""The JSON documents of the tasks: one on stdout, with `--json`. Their shapes are in docs/json.md."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.tasks.command import ROOT

if TYPE_CHECKING:
    from alembic.script import Script, ScriptDirectory

    from app.migrations.journal import Entry
    from app.migrations.status import Status
    from scripts.tasks.workplace import Workplace

Document = dict[str, Any]


def show(document: Document) -> None:
    """Print a document on stdout."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def form(named: str, known: Iterable[str]) -> str:
    """Return the form of an answer that was asked for. Raises ConfigurationError for one that is not known."""
    from app.migrations.errors import ConfigurationError

    if named not in known:
        raise ConfigurationError(
            f"--format={named} is none of {', '.join(known)}; nothing was done", "leave --format out"
        )
    return named


def status(place: "Workplace", read: "Status") -> Document:
    """Return what `db.status` answers; `next` is null at head, `last_backup` where there is none."""
    from app.migrations.standing import State, cure

    archive = place.last_backup()

    standing, at_head = read.standing, read.standing.state is State.AT_HEAD
    return {
        "environment": place.name,
        "protected": place.target.environment.protected,
        "database": place.target.described,
        "server": read.server,
        "identity": {
            "environment": read.seen.recorded.environment if read.seen.recorded else None,
            "standing": read.verdict.standing.value,
            "reason": read.verdict.reason or read.seen.unreadable or None,
        },
        "revisions": list(standing.revisions),
        "heads": list(standing.heads),
        "state": standing.state.value,
        "pending": [{"revision": one.revision, "title": one.doc} for one in standing.pending],
        "half_applied": list(standing.half_applied),
        "migration_running": read.running,
        "last_change": entry(read.last) if read.last else None,
        "last_backup": {
            "name": archive.name,
            "started_at": archive.started.isoformat(),
            "proven": archive.proven,
        }
        if archive
        else None,
        "next": None if at_head else cure(place.name, standing, read.running),
    }


def current(place: "Workplace", read: "Status") -> Document:
    """Return what `db.current` answers."""
    standing = read.standing
    rows = [{"revision": one, "head": one in standing.heads} for one in standing.revisions]
    return {"environment": place.name, "revisions": rows}


def heads(script: "ScriptDirectory") -> Document:
    """Return what `db.heads` answers."""
    return {"heads": [revision(one) for one in script.get_revisions("heads") if one]}


def history(script: "ScriptDirectory", environment: str, at: Iterable[str] | None) -> Document:
    """Return what `db.history` answers, newest first; `current` is null where the database was not reached."""
    known = None if at is None else sorted(at)
    rows = [
        revision(one)
        | {
            "down_revisions": list(one._versioned_down_revisions),
            "path": str(Path(one.path).relative_to(ROOT)),
            "head": one.is_head,
            "current": None if known is None else one.revision in known,
        }
        for one in script.walk_revisions()
    ]
    return {"environment": environment, "current": known, "revisions": rows}


def journal(environment: str, entries: Iterable["Entry"]) -> Document:
    """Return what `db.journal` answers, newest first; the sources of the revisions are left out."""
    return {"environment": environment, "entries": [entry(one) for one in entries]}


def revision(script: "Script") -> Document:
    """Return the name of a revision."""
    return {"revision": script.revision, "title": script.doc}


def entry(row: "Entry") -> Document:
    """Return one row of the journal; `started_at` is ISO 8601 with its offset, `duration_ms` null while it lasts."""
    actor = row.actor
    return {
        "id": row.id,
        "revision": row.revision,
        "action": row.action,
        "started_at": row.started_at.isoformat(),
        "duration_ms": row.duration_ms,
        "os_user": actor.os_user,
        "os_host": actor.os_host,
        "database_user": row.database_user,
        "git_commit": actor.git_commit,
        "git_dirty": actor.git_dirty,
        "environment": actor.environment,
        "road": actor.road,
        "digest": row.digest,
        "detail": dict(row.detail),
    }
