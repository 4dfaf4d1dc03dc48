"""The body of the notice: is the dev database ahead of this branch? Starts no server, changes nothing, never fails."""
# ruff: noqa: PLC0415 -- what is loaded late is not waited for where there is nothing to look at

import contextlib
import os
import shlex
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SECONDS = 1.4
"""After so long the process ends, whatever it waits for: with the start of two Pythons, less than 2 s."""
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "dev"
MOST_NAMED = 5


class Ahead(NamedTuple):
    """What a database has applied and this branch does not have, oldest first with titles, and what it had in common.

    `place` is a branch or a commit that has them; "" where none was found, and then `revisions` are bare ids.
    """

    revisions: tuple[str, ...]
    parting: str = ""
    place: str = ""


def main() -> None:
    """Say what there is to say, and end within SECONDS with 0: git has done its work, and is not to fail."""
    said: list[str] = []
    timer = threading.Timer(SECONDS, _end, [said])
    timer.daemon = True
    timer.start()
    with contextlib.suppress(BaseException):  # no database, no file, no package: there is nothing to say
        look(said, os.environ)
    _end(said)


def _end(said: Sequence[str]) -> None:
    """Write the last of what was found, and leave without waiting for anything."""
    try:
        if said:
            sys.stdout.write(said[-1])
            sys.stdout.flush()
    finally:
        os._exit(0)


def look(said: list[str], process: Mapping[str, str]) -> None:
    """Add to `said` what is known, first roughly, then better. Raises whatever goes wrong."""
    from app.migrations import history_files

    history = history_files.read(str(ROOT)).history
    unknown = [row for row in rows() if row not in history]
    if unknown and len(history):
        said.append(text(Ahead(tuple(unknown))))
        better = found_in_git(unknown, set(history.revisions), process)
        if better:
            said.append(text(better))


def rows() -> Sequence[str]:
    """Return the revisions that the dev database is at; none where a private server does not run."""
    import psycopg2

    from app.core.config import variables
    from app.migrations import environments, postmaster, sockets, urls

    url = environments.load(ROOT, ENVIRONMENT, variables(), need_url=False).database_url
    name = urls.embedded_name(url) if url else None
    if name is not None:
        data = ROOT / ".postgres" / "data"
        if postmaster.find(data) is None:
            return ()
        url = sockets.database_url(data, name)
    if not url:
        return ()
    target = urls.to_libpq(url)
    connection = psycopg2.connect(target.conninfo, password=target.environment.get("PGPASSWORD"), connect_timeout=2)
    connection.set_session(readonly=True, autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '500ms'; SELECT version_num FROM alembic_version ORDER BY 1")
        return [str(row[0]) for row in cursor.fetchall()]


def found_in_git(unknown: Sequence[str], known: set[str], process: Mapping[str, str]) -> Ahead | None:
    """Look for the revisions in the commit that was left, and in what a rebase has replaced."""
    from app.migrations import git_history, git_tree, history_files, history_settings
    from app.migrations.errors import MigrationError

    places = git_history.Places(history_settings.locate(str(ROOT)))
    for commit in filter(None, (process.get("PRE_COMMIT_FROM_REF"), "ORIG_HEAD")):
        try:
            held = git_tree.commit(places.shown, places.words, commit)
        except MigrationError:
            continue
        other = history_files.assemble(git_tree.texts(held)).history
        if all(row in other for row in unknown):
            above = other.ancestors(unknown) - known
            order = [id_ for id_ in reversed(other.order()) if id_ in above]
            below = {parent for id_ in above for parent in other[id_].parents if parent in known}
            titles = tuple(f'{id_} "{other[id_].message}"' if other[id_].message else id_ for id_ in order)
            parting = "base" if not below else next(iter(below)) if len(below) == 1 else ""
            return Ahead(titles, parting, _branch(commit))
    return None


def _branch(commit: str) -> str:
    """Return a branch that is at a commit, else its abbreviated name."""
    from app.migrations import git_files

    heads = git_files.word("for-each-ref", "--points-at", commit, "--format=%(refname:short)", "refs/heads")
    return heads.split("\n")[0] or git_files.word("rev-parse", "--short", commit)


def text(ahead: Ahead) -> str:
    """Return the notice: what is applied, what follows from it, and the command."""
    shown, count = ", ".join(ahead.revisions[:MOST_NAMED]), len(ahead.revisions)
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    where = f" ({ahead.place} has {'it' if count == 1 else 'them'})" if ahead.place else ""
    command = "inv db.doctor"
    if ahead.place and ahead.parting:
        down = f"inv db.downgrade --to={ahead.parting}"
        command = f"git checkout {shlex.quote(ahead.place)} && {down} && git checkout -"
    return (
        f"notice: the {ENVIRONMENT} database is ahead of this branch: it has applied {shown}{more}{where}; "
        f"the code of this branch meets a schema that it does not know\n  next: {command}\n"
    )
