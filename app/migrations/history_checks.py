"""What is wrong with a history as a whole: decides on its revisions and on what git knows of them. Reads nothing."""

from __future__ import annotations

from app.migrations.headers import Fault, Revision, parse
from app.migrations.history import History
from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.migrations.findings import Finding

RULES = (
    "several-heads", "missing-parent", "duplicate-id", "cycle", "no-base", "unreachable", "label-clash", "file-name",
    "published-edited", "published-deleted", "not-added", "unmerged", "syntax-error", "unreadable-header",
    "wrong-header", "not-a-revision", "compiled-only", "unreadable-file",
)  # fmt: skip
"""The last six are those of a Fault."""
MOST_NAMED = 5
"""How many revisions a message lists at most."""


class Git(NamedTuple):
    """What git knows of a history; `Git()` where there is none. Paths are those of the revisions.

    `branch` is the one on which revisions count as published and `base` the commit in which it was left; `changed` are
    the files of that commit that are gone or not the same byte for byte, `texts` what is in the files now. `not_added`
    are files that git will not hold, `unmerged` those in a conflict, `authors` says who wrote which file.
    """

    branch: str = ""
    base: str = ""
    changed: Mapping[str, bytes] = {}
    texts: Mapping[str, bytes] = {}
    not_added: Mapping[str, bytes] = {}
    unmerged: Sequence[str] = ()
    authors: Mapping[str, str] = {}


class Advice(NamedTuple):
    """The commands of the project: what makes several heads one, and what puts one branch onto the other, if any."""

    merge: str = 'alembic merge -m "merge heads" heads'
    rebase: str = ""


NO_GIT, ALEMBICS = Git(), Advice()


def check(
    history: History,
    faults: Sequence[Fault] = (),
    git: Git = NO_GIT,
    advice: Advice = ALEMBICS,
    named_by_id: bool | None = None,
) -> list[Finding]:
    """Return what is wrong, by path and line; every finding blocks but `file-name`.

    Several heads are found only in a history that is whole otherwise: where a file is missing, every end below the
    gap looks like a head. `named_by_id` says whether the names of files hold ids here; None: as most of them do.
    """
    found: list[Finding] = [
        *(_error(fault.rule, fault.path, fault.line, fault.message, fault.instead) for fault in faults),
        *_missing(history, git),
        *_duplicates(history, git),
        *_cycles(history),
        *_cut_off(history),
        *_clashes(history),
        *_unmerged(git),
    ]
    if not found:
        found += _several_heads(history, git, advice)
    found += [*_file_names(history, git, named_by_id), *_published(history, faults, git), *_not_added(git)]
    if not found:
        return []
    from app.migrations.findings import in_order  # noqa: PLC0415 -- see `_error`

    return in_order(found)


def _error(rule: str, path: str, line: int, message: str, instead: str) -> Finding:
    from app.migrations.findings import Finding, Severity  # noqa: PLC0415 -- enum takes 4 ms to load, and most is good

    return Finding(rule, Severity.ERROR, path, line, message, instead)


def _missing(history: History, git: Git) -> Iterator[Finding]:
    """https://alembic.sqlalchemy.org/en/latest/tutorial.html: the parent is found by its id alone."""
    outside = {_id_of(path, text): path for path, text in git.not_added.items()}
    for revision, name in history.missing:
        role = "its parent" if name in revision.parents else "a revision that it depends on"
        message = f"{revision.id} names {name} as {role}, and no file has that id: no command of Alembic can run"
        if name in outside:
            instead = f"git add -f {_quoted(outside[name])}"
        else:
            instead = f"git log --all --oneline --name-only -- {_quoted(f'*{name}*.py')}"
        yield _error("missing-parent", revision.path, revision.line, message, instead)


def _id_of(path: str, text: bytes) -> str | None:
    found = parse(path, text)
    return found.id if isinstance(found, Revision) else None


def _duplicates(history: History, git: Git) -> Iterator[Finding]:
    for same in history.duplicates:
        paths = [revision.path for revision in same]
        message = f"{len(same)} files are revision {same[0].id}: {', '.join(paths)}; Alembic runs one of them at most"
        texts = [git.texts.get(path) for path in paths]
        if None not in texts and len({_digest(text) for text in texts if text is not None}) == 1:
            instead = f"rm {' '.join(map(_quoted, paths[1:]))}"
        else:
            instead = f"write another id into {paths[-1]}, and into the down_revision of those that come after it"
        yield _error("duplicate-id", paths[-1], same[-1].line, message, instead)


def _digest(source: bytes) -> str:
    from app.migrations.revision import digest  # noqa: PLC0415 -- loads the parser, which a good history does not need

    return digest(source)


def _cycles(history: History) -> Iterator[Finding]:
    for circle in history.cycles:
        revisions = [history[id_] for id_ in circle]
        first = min(revisions, key=lambda revision: revision.path)
        way = " -> ".join([*circle, circle[0]])
        message = f"the revisions run in a circle ({way}), and no command of Alembic can run: one names a wrong parent"
        paths = " ".join(_quoted(revision.path) for revision in revisions)
        yield _error("cycle", first.path, first.line, message, f"git log -p -- {paths}")


def _cut_off(history: History) -> Iterator[Finding]:
    """Find revisions that no way from a base leads to, other than those of a circle or above a gap itself."""
    if len(history) and not history.bases:
        first = next(iter(history))
        message = f"none of the {len(history)} revisions has down_revision = None: there is no first one to begin with"
        yield _error("no-base", first.path, first.line, message, "write down_revision = None into the first revision")
        return
    named = {revision.id for revision, _ in history.missing} | {id_ for circle in history.cycles for id_ in circle}
    rest = [id_ for id_ in history.unreachable if id_ not in named]
    if rest:
        first = history[rest[0]]
        message = f"no way leads from the first revision to {_listed(rest)}: Alembic can never run them"
        yield _error("unreachable", first.path, first.line, message, "mend the parent that is missing below them")


def _clashes(history: History) -> Iterator[Finding]:
    for label, revision in history.clashes:
        message = f"the branch label {label} is an id, or the label of another revision, too: no command can run"
        yield _error("label-clash", revision.path, revision.line, message, "give one of them another label")


def _several_heads(history: History, git: Git, advice: Advice) -> Iterator[Finding]:
    heads = [history[id_] for id_ in history.heads]
    if len(heads) < 2:
        return
    shown = ", ".join(_described(head, git) for head in heads[:MOST_NAMED])
    more = f" and {len(heads) - MOST_NAMED} more" if len(heads) > MOST_NAMED else ""
    parted = history.parted_at(history.heads)
    where = f"they part at {', '.join(_titled(history[id_]) for id_ in parted)}" if parted else "they share no revision"
    message = f"the history has {len(heads)} heads, and `alembic upgrade head` stops there: {shown}{more}; {where}"
    if advice.rebase:
        message += f"; to put the branch of this checkout onto the other instead: {advice.rebase}"
    yield _error("several-heads", heads[0].path, heads[0].line, message, advice.merge)


def _titled(revision: Revision) -> str:
    return f'{revision.id} "{revision.message}"' if revision.message else revision.id


def _described(head: Revision, git: Git) -> str:
    author = git.authors.get(head.path)
    return f"{_titled(head)} ({head.path}{f' by {author}' if author else ''})"


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return ", ".join(ids[:MOST_NAMED]) + more


def _file_names(history: History, git: Git, named_by_id: bool | None) -> Iterator[Finding]:
    without = [revision for revision in history.files if revision.id not in revision.path.rpartition("/")[2]]
    if named_by_id is None:
        named_by_id = 2 * len(without) < len(history.files)
    for revision in without if named_by_id else ():
        folder, _, name = revision.path.rpartition("/")
        new = f"{folder}/{revision.id}_{name}" if folder else f"{revision.id}_{name}"
        message = f"the name of this file does not hold its id: who looks for {revision.id} does not find it"
        move = f"{'git mv' if git.texts else 'mv'} {_quoted(revision.path)} {_quoted(new)}"
        from app.migrations.findings import Severity  # noqa: PLC0415 -- see `_error`

        yield _error("file-name", revision.path, 0, message, move)._replace(severity=Severity.WARNING)


def _published(history: History, faults: Iterable[Fault], git: Git) -> Iterator[Finding]:
    """Find revisions that databases may have, and that say something else now: layout and comments do not count."""
    unreadable = {fault.path for fault in faults}
    for path, before in git.changed.items():
        id_ = _id_of(path, before)
        if id_ is None or path in unreadable:
            continue
        known = f"{id_} is published: {git.branch} has it since {git.base} at the latest"
        if id_ not in history:
            message = f"{known}, and no file has that id any more: a database that has applied it is lost to Alembic"
            yield _with_way_out(_error("published-deleted", path, 0, message, _restored(path, git)))
        elif (now := git.texts.get(history[id_].path, before)) != before and _digest(now) != _digest(before):
            message = f"{known}, and this says something else: a database that has applied it never gets the change"
            today = history[id_]
            cure = _restored(path, git) if today.path == path else f"git diff {git.base}:./{path} {today.path}"
            yield _with_way_out(_error("published-edited", today.path, today.line, message, cure))


def _restored(path: str, git: Git) -> str:
    return f"git restore --source={git.base} --staged --worktree -- {_quoted(path)}"


def _with_way_out(finding: Finding) -> Finding:
    setting = f'[tool.massacorp.checks.severity] {finding.rule} = "warning"'
    return finding._replace(way_out=f"No database has it? Say so in pyproject.toml: {setting}")


def _not_added(git: Git) -> Iterator[Finding]:
    for path, text in git.not_added.items():
        found = parse(path, text)
        if isinstance(found, Revision) or (isinstance(found, Fault) and found.rule != "not-a-revision"):
            name = f"revision {found.id}" if isinstance(found, Revision) else "this revision"
            message = f"git does not hold this file: Alembic has {name} here, and nobody else will"
            yield _error("not-added", path, 0, message, f"git add -f {_quoted(path)}")


def _unmerged(git: Git) -> Iterator[Finding]:
    for path in git.unmerged:
        message = "git holds several versions of this file: the conflict in it is not resolved"
        yield _error("unmerged", path, 0, message, f"git mergetool {_quoted(path)}")


def _quoted(path: str) -> str:
    from shlex import quote  # noqa: PLC0415 -- only what is wrong is quoted

    return quote(path)
