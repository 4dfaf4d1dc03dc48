"""The tasks that make one head of several: merge, rebase."""

import os
from contextlib import chdir
from typing import TYPE_CHECKING, NamedTuple

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.migrations.commuting import Proof
    from app.migrations.history import History
    from app.migrations.reparenting import Reparenting
    from app.migrations.survey import Surveyor
    from app.migrations.whereabouts import Whereabout


@command(
    iterable=["revisions"],
    help={
        "message": "title",
        "revisions": "which heads (repeatable; all by default)",
        "json": "print one JSON document, and what is said on the way on stderr",
    },
)
def merge(c: Context, env: str = "", message: str = "", revisions: "list[str]" = [], json: bool = False) -> None:  # noqa: B006
    """Join several heads into one, after proving that their branches commute."""
    from app.migrations import branches, merging
    from scripts.tasks import joining_documents as answers
    from scripts.tasks import joining_screen

    history = merging.sound(ROOT)
    if not revisions:
        merging.refuse_what_is_on_purpose(ROOT, history, "inv db.merge", "--revisions")
    heads = branches.chosen(history, revisions)
    with answers.answered(answers.MERGE, json) as document:
        document.update(answers.heads(history, heads))
        if len(heads) < 2:
            joining_screen.nothing_to_merge(heads)
            return
        parts = branches.of(history, heads)
        joining_screen.branches(history, parts, _authors(history, heads))
        places = look(env, history)
        document.update(answers.branches(history, parts, places))
        joining_screen.sides(places, history, parts)
        admin = scratch_server()
        found = _prove(admin, heads)
        document.update(answers.proof(found))
        joining_screen.proof(found)
        made = merging.write(ROOT, admin, heads, message or "merge_" + "_".join(heads))
        document.update(answers.written(made))
        joining_screen.written(made)


def _authors(history: "History", heads: tuple[str, ...]) -> dict[str, str]:
    """Return who wrote the heads, by path, where there is a git that knows."""
    from app.migrations import git_files, git_history

    with chdir(ROOT):
        if not git_files.word("rev-parse", "--git-dir"):
            return {}
        return git_history.authors({history[id_].path: history[id_].path for id_ in heads})


def _prove(admin: str, heads: tuple[str, ...]) -> "Proof":
    """Apply the branches in every order that counts, on scratch databases."""
    from app.migrations import branches, commuting
    from app.migrations.project import open_project
    from scripts.tasks import bars

    with open_project(ROOT) as project, bars.steps("proving") as update:
        parts = branches.of(project.history, heads)
        return commuting.prove(project, admin, parts, lambda revision, done, total: update(done, total, revision))


def look(env: str, history: "History") -> "list[Whereabout]":
    """Ask the environments where they stand. Raises ConfigurationError for an `env` that is none."""
    from app.core.config import variables
    from app.migrations import environments, whereabouts

    if env and env not in environments.names(ROOT):
        environments.entries(ROOT, env)
    chosen = environments.choose(env, variables().get("APP_ENV"), None).name or environments.DEFAULT_NAME
    return whereabouts.look(_surveyor(), chosen, history)


def _surveyor() -> "Surveyor":
    from sqlalchemy.pool import NullPool

    from app.core.config import variables
    from app.core.engine import make_engine
    from app.migrations import runner
    from app.migrations.survey import Surveyor

    return Surveyor(ROOT, variables(), lambda url: make_engine(url, NullPool), runner.history(ROOT))


def scratch_server() -> str:
    """Return the server of SCRATCH_URL, or the private one, which is started."""
    from app.migrations import scratch

    return scratch.admin_url(ROOT, os.environ.get("SCRATCH_URL") or scratch.EMBEDDED, os.environ.get("PG_BIN", ""))


@command(
    help={
        "onto": "the head that the branch is put onto (by default the one that is published)",
        "offline": "go on although environments with an address cannot be asked",
        "yes": "do not ask before databases are taken down and up again",
        "json": "print one JSON document, and what is said on the way on stderr",
    }
)
def rebase(
    c: Context, env: str = "", onto: str = "", offline: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Put the branch of this checkout onto the other head."""
    from app.migrations import git_published, merging
    from scripts.tasks import joining_documents as answers

    history = merging.sound(ROOT)
    if not onto:
        merging.refuse_what_is_on_purpose(ROOT, history, "inv db.rebase", "--onto")
    with answers.answered(answers.REBASE, json) as document:
        document.update(answers.heads(history, history.heads))
        moving = _moving(history, onto)
        if moving is not None:
            with chdir(ROOT):
                pushed = git_published.pushed([edit.path for edit in moving.edits])
            places = look(env, history)
            document.update(answers.moving(moving, places))
            _rebase(places, history, moving, pushed, Wish(offline, yes))
            document.update(answers.rebased(history, moving))


def _moving(history: "History", onto: str) -> "Reparenting | None":
    """Return what moves where; None, and why, where nothing does."""
    from app.migrations import branches, git_published, reparenting
    from scripts.tasks import joining_screen

    if not onto and len(history.heads) < 2:
        joining_screen.nothing_to_rebase(history, None, "")
        return None
    with chdir(ROOT):  # git is asked in the folder of this process
        published = git_published.read(str(ROOT))
    known = published.ids, published.merging
    goal = branches.resolve(history, onto) if onto else reparenting.choose(history, *known)
    moving = reparenting.plan(history, published.ids, goal)
    if not moving.edits:
        joining_screen.nothing_to_rebase(history, moving, published.branch)
        return None
    return moving


class Wish(NamedTuple):
    """What was said on the command line."""

    offline: bool
    yes: bool


def _rebase(
    places: "Sequence[Whereabout]", history: "History", moving: "Reparenting", pushed: bool, wish: Wish
) -> None:
    """Decide, try, ask, act, and say what was reached."""
    from app.migrations import rebase as road
    from scripts.tasks import joining_screen, rebasing
    from scripts.tasks.confirmation import confirm

    rewrites = road.prepare(ROOT, history, moving)
    joining_screen.moving(history, moving)
    joining_screen.having(places, moving)
    going = rebasing.descents(history, moving, road.affected(places, moving, wish.offline))
    joining_screen.unseen(places, history, moving, pushed)
    admin = scratch_server()
    joining_screen.tried(road.try_out(ROOT, admin, moving), moving)
    joining_screen.descents(going, moving)
    if going:
        names = ", ".join(one.name for one in going)
        word = going[0].name if len(going) == 1 else "rebase"
        confirm(names, wish.yes, word, why="would be taken down and up again")
    rebasing.take_down(going)
    rebasing.put(rewrites, admin, moving, going)
    rebasing.bring_up(going, moving.head)
    joining_screen.rebased(history, moving)
