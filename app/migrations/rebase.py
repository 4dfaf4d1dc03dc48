"""Puts a branch onto another head: exchanges the headers, proves the result, and puts the files back where it fails.

Decides which environments have to be taken down for it; takes none down itself.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

from app.migrations import (
    branches,
    commuting,
    durable,
    header_edit,
    history_checks,
    merging,
    reparenting,
    roundtrip,
    termination,
    whereabouts,
)
from app.migrations.commuting import Attempt
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.findings import Severity
from app.migrations.history import History
from app.migrations.project import open_project
from app.migrations.reparenting import UNCHANGED, Reparenting
from app.migrations.roundtrip_report import Report
from app.migrations.whereabouts import Whereabout


class NotPutBackError(ConfigurationError):
    """A file has the new header and could not be given the old one again."""


class Rewrite(NamedTuple):
    """One file: what is in it, and what will be. `path` is the real one: a link stays a link."""

    path: Path
    before: bytes
    after: bytes


def prepare(root: Path, history: History, moving: Reparenting) -> list[Rewrite]:
    """Return what the files will hold. Raises ConfigurationError for a header that cannot be edited; changes nothing.

    Also for a graph that would not hold: a circle by way of depends_on, say.
    """
    for found in history_checks.check(reparenting.after(history, moving), named_by_id=False):
        if found.severity is Severity.ERROR and found.rule != merging.HEADS:
            raise ConfigurationError(f"with {moving.onto} below them, {found.message}; {UNCHANGED}", "inv db.merge")
    rewrites = []
    for edit in moving.edits:
        path = (root / edit.path).resolve()
        with _explained(path):
            source = path.read_bytes()
        if not os.access(path.parent, os.W_OK):
            raise _unwritable(path, "its folder may not be written")
        rewrites.append(Rewrite(path, source, header_edit.reparented(edit.path, source, edit.after)))
    return rewrites


def affected(places: Sequence[Whereabout], moving: Reparenting, offline: bool) -> list[Whereabout]:
    """Return the environments that have to be taken down. Raises Refused where one may not be, or is not known.

    `offline` accepts those that did not answer.
    """
    moved = set(moving.moved)
    having = [one for one in places if one.applied is not None and moved & one.applied]
    protected = [one for one in having if one.protected]
    if protected:
        told = "; ".join(f"{one.name} has applied {_listed(moved & (one.applied or set()))}" for one in protected)
        raise Refused(f"{told}, and is protected: what is applied there keeps its parents; {UNCHANGED}", "inv db.merge")
    for one in having:
        if one.status and not one.status.verdict.allows_change:
            raise Refused(f"{one.name}: {one.status.verdict.reason}; {UNCHANGED}", one.status.verdict.next)
    unknown = [one for one in places if one.unknown]
    if unknown and not offline:
        raise Refused(
            f"not known is what these have applied: {whereabouts.named(unknown)}; one that has applied"
            f" {_listed(moved)} would not fit its files any more; {UNCHANGED}",
            _ways_to_know(unknown),
        )
    return having


def _ways_to_know(unknown: Sequence[Whereabout]) -> str:
    stopped = next((one.name for one in unknown if one.stopped), None)
    start = f"inv db.status --env={stopped}, which starts the server" if stopped else "inv env.check"
    return f"{start}, then inv db.rebase; or, where none of them has it, inv db.rebase --offline"


def _listed(ids: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(ids))


def rows(history: History, applied: frozenset[str]) -> tuple[str, ...]:
    """Return the rows of the version table of a database that has applied these."""
    needed = {each for id_ in applied for each in history.needs(id_)}
    return tuple(sorted(applied - needed))


def try_out(root: Path, admin_url: str, moving: Reparenting) -> Attempt:
    """Apply the branch above the other head on a scratch database with rows, before any file or target is changed."""
    with open_project(root) as project:
        parts = branches.of(project.history, (moving.onto, moving.head))
        return commuting.goes_up(project, admin_url, parts, (moving.onto, moving.head))


@contextmanager
def rewritten(rewrites: Sequence[Rewrite]) -> Iterator[None]:
    """Have the new headers in the files; where the block fails they hold again, byte for byte, what they held.

    Each file is exchanged in one step and keeps its mode. Raises ConfigurationError for one that was edited meanwhile,
    or that cannot be written.
    """
    done: list[Rewrite] = []
    try:
        with termination.raised("no revision is moved"):
            for one in rewrites:
                with _explained(one.path):
                    if one.path.read_bytes() != one.before:
                        raise ConfigurationError(f"{one.path.name} was edited meanwhile", "the same command again")
                    done.append(one)
                    _exchange(one.path, one.after)
            yield
    except BaseException:
        for one in reversed(done):
            try:
                _exchange(one.path, one.before)
            except OSError as error:
                raise NotPutBackError(
                    f"{one.path} cannot be written: {error.strerror}; it has the new parent still",
                    f"write its old parent into it: git diff -- {shlex.quote(str(one.path))}",
                ) from error
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def _unwritable(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(f"{path} cannot be changed: {reason}", f"ls -ld {shlex.quote(str(path.parent))}")


def _exchange(path: Path, content: bytes) -> None:
    """Write a file anew, with the mode and, as far as one may, the owner of the old one.

    What Python has compiled goes: it tells files apart by their size and the second, and both may be the same.
    """
    was = path.stat()
    durable.write(path, content, was.st_mode & 0o7777)
    with suppress(OSError):
        Path(cache_from_source(str(path))).unlink()
    if (was.st_uid, was.st_gid) != (path.stat().st_uid, path.stat().st_gid):
        with suppress(PermissionError):
            os.chown(path, was.st_uid, was.st_gid)


def check(root: Path, admin_url: str, moving: Reparenting) -> Report:
    """Take the revisions that moved up, down and up again, as the files say it now. Raises for a broken graph."""
    merging.sound(root)
    with open_project(root) as project:
        return roundtrip.check(project, admin_url, roundtrip.Settings(only=moving.moved))
