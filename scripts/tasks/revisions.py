"""Tasks on the history: current, heads, history, revision."""

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from scripts.tasks.workplace import Workplace


@command(help={"verbose": "with paths and parents"})
def current(c: Context, env: str = "", verbose: bool = False, json: bool = False) -> None:
    """Show the revision of the database."""
    from app.migrations import failures, runner
    from scripts.tasks import documents, workplace

    place = workplace.enter(env)
    read = place.status()
    if json:
        documents.show(documents.current(place, read))
        return
    with failures.explained(place.target.place):
        runner.show(ROOT, "current", place.target, verbose=verbose)


@command(help={"verbose": "with paths and parents"})
def heads(c: Context, env: str = "", verbose: bool = False, json: bool = False) -> None:
    """Show the newest revisions of the code."""
    from app.migrations import runner
    from scripts.tasks import documents

    script = runner.history(ROOT)
    if json:
        documents.show(documents.heads(script))
    else:
        runner.show(ROOT, "heads", verbose=verbose)


@command(help={"verbose": "as Alembic has it, with paths, parents and texts"})
def history(c: Context, env: str = "", verbose: bool = False, json: bool = False) -> None:
    """Draw all revisions, the newest first, and mark the current one."""
    from app.migrations import runner
    from scripts.tasks import documents, history_screen

    place = _reachable(env)
    if verbose and not json:
        runner.show(ROOT, "history", place.target if place else None, verbose=True, indicate_current=place is not None)
        return
    at = place.status().standing.revisions if place else None
    script = place.script if place else runner.history(ROOT)
    if json:
        documents.show(documents.history(script, place.name if place else env, at))
    else:
        history_screen.draw(script, at or ())


def _reachable(env: str) -> "Workplace | None":
    """Return the workplace, or None with a word about why when its database does not answer."""
    from app.migrations.errors import Unreachable
    from scripts.tasks import workplace

    try:
        place = workplace.enter(env)
        place.status()
    except Unreachable as error:
        print(f"{error}\n(the current revision is not marked)", file=sys.stderr)
        return None
    return place


@command(help={"message": "what the revision does, in a few words", "autogenerate": "from the models"})
def revision(c: Context, env: str = "", message: str = "", autogenerate: bool = False) -> None:
    """Write a new revision."""
    from app.migrations import failures, runner
    from app.migrations.errors import ConfigurationError
    from scripts.tasks import screen, workplace

    if not message.strip():
        raise ConfigurationError(
            "--message is missing: a revision needs a name", 'inv db.revision --message="add users.phone"'
        )
    runner.history(ROOT)
    target = workplace.enter(env).target if autogenerate else None
    if target is None:
        path = runner.revision(ROOT, None, message, autogenerate=False)
    else:
        with failures.explained(target.place):
            path = runner.revision(ROOT, target, message, autogenerate=True)
    screen.written(path)
