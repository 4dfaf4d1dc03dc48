"""Which revisions a roundtrip checks, in which order, and what is built below them. Asks git what a branch adds."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from app.migrations.errors import ConfigurationError
from app.migrations.history import History


class Course(NamedTuple):
    """`base` is built in one go and not checked; then `steps` in their order, of which `checked` are checked."""

    base: tuple[str, ...]
    steps: tuple[str, ...]
    checked: frozenset[str]
    whole: bool


def plan(history: History, root: Path, since: str | None, only: tuple[str, ...]) -> Course:
    """Return the course for what was asked: everything, what came since a revision or a branch, or single revisions.

    Raises ConfigurationError for a revision or a branch that is not there.
    """
    wanted = set(history.revisions)
    if since:
        wanted &= _since(history, root, since)
    if only:
        wanted &= {_resolved(history, name) for name in only}
    needed, upward = history.ancestors(wanted), history.descendants(wanted)
    order = [revision for revision in reversed(history.order()) if revision in needed]
    base = tuple(revision for revision in order if revision not in upward)
    steps = tuple(revision for revision in order if revision in upward)
    return Course(base, steps, frozenset(wanted), needed == set(history.revisions))


def _resolved(history: History, name: str) -> str:
    """Return the revision of this id, label or beginning of an id."""
    found = _matching(history, name)
    if len(found) == 1:
        return found[0]
    what = f"begins several revisions: {', '.join(found)}" if found else "is no revision of this history"
    raise ConfigurationError(f"{name} {what}; nothing was checked", "`alembic history` lists them")


def _matching(history: History, name: str) -> list[str]:
    if name in history:
        return [name]
    if name in history.label_owners:
        return [history.label_owners[name]]
    if name in {"head", "heads"}:
        return list(history.heads)
    return [revision for revision in history.revisions if name and revision.startswith(name)]


def _since(history: History, root: Path, name: str) -> set[str]:
    """Return what stands above a revision; else what the files say that a branch has added or edited since `name`."""
    found = [] if name in {"head", "heads"} else _matching(history, name)
    if len(found) == 1:
        return history.descendants(found) - set(found)
    base = _git(root, "merge-base", "HEAD", name, about=name).strip()
    top = Path(_git(root, "rev-parse", "--show-toplevel", about=name).strip())
    kept = set(_git(root, "ls-tree", "-r", "-z", "--name-only", "--full-tree", base, about=name).split("\0"))
    kept -= set(_git(root, "diff", "-z", "--name-only", base, about=name).split("\0"))
    places = {each.id: (root / each.path).resolve() for each in history}
    return {
        revision
        for revision, path in places.items()
        if not path.is_relative_to(top.resolve()) or path.relative_to(top.resolve()).as_posix() not in kept
    }


def _git(root: Path, *words: str, about: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise _unknown(about, str(error)) from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it shares no commit with {about}"]
        raise _unknown(about, said[0])
    return done.stdout


def _unknown(name: str, said: str) -> ConfigurationError:
    return ConfigurationError(
        f"--since={name} is neither a revision of this history nor a branch that git can compare with: {said};"
        " nothing was checked",
        "git fetch origin, then --since=origin/main; or without --since, which checks every revision",
    )
