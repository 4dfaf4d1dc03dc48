"""The body of check-history: reads a history from the folder or from git, and reports what is wrong with it."""
# ruff: noqa: PTH113, PTH118, PTH120, PTH123 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations import git_files, git_history, git_tree, history_checks, history_files, history_settings
from app.migrations.checks import settings
from app.migrations.git_history import Places
from app.migrations.history_checks import Advice, Git
from app.migrations.history_files import Reading
from app.migrations.lean import TYPE_CHECKING, NamedTuple
from scripts.hooks import ends, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.migrations.findings import Finding
    from app.migrations.git_files import Running
    from app.migrations.headers import Fault
    from app.migrations.history import History
    from app.migrations.history_settings import Locations

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
OURS = "inv db.merge", "inv db.rebase"
HELP = """Checks the graph of revisions: heads, parents, ids, names, and what is published.

  check_history.py [--config alembic.ini] [--versions DIR ...] [--format=text|json|github|sarif] [--staged]

--config    alembic.ini, pyproject.toml or both (repeat it); by default those of the current folder
--versions  folders of revisions, in place of what the settings say
--staged    the history that git will hold: what is in the index or, where PRE_COMMIT_TO_REF is set, in that commit

Ends with 1 when something blocks, 2 when it cannot be checked, 3 for a bug of this program.
"""


class Report(NamedTuple):
    """The heads of a history, and what is wrong with it. `note` says what could not be looked at, or ""."""

    heads: tuple[str, ...]
    findings: list[Finding]
    note: str = ""


class Where(NamedTuple):
    """Where a history lies, and the folder in which Alembic is run on it, from this one."""

    locations: Locations
    project: str = "."


class Given(NamedTuple):
    """A history to be judged, the texts of its files, and what git knows of it."""

    reading: Reading
    texts: Mapping[str, bytes]
    git: Git


def main(arguments: Sequence[str]) -> int:
    """Check, report, and return the exit code."""
    asked = options.parse(arguments, ("config", "versions", "format", "staged"))
    if asked.help:
        print(HELP, end="")
        return 0
    report = check(located(asked.config, asked.versions), asked.staged, os.environ)
    return ends.reported(report.findings, asked.format, report.heads)


def located(config: Sequence[str] = (), versions: Sequence[str] = ()) -> Where:
    """Return where the history lies: as Alembic has it, started here or, for files of settings elsewhere, beside them.

    Without options the settings are looked for here and in the folders above.
    """
    if versions:
        return Where(history_settings.given(".", versions))
    if not config:
        root = _root()
        return Where(history_settings.locate(root), root)
    found = history_settings.locate(".", config)
    beside = os.path.dirname(config[0])
    if beside and not any(map(os.path.isdir, found.folders)):
        other = history_settings.locate(beside, [os.path.relpath(name, beside) for name in config])
        if any(map(os.path.isdir, other.folders)):
            return Where(other._replace(root=found.root), beside)
    return Where(found)


def _root() -> str:
    """Return the nearest folder, from here upwards, with an alembic.ini; else this one."""
    folder = os.path.realpath(".")
    while not os.path.isfile(os.path.join(folder, "alembic.ini")):
        above = os.path.dirname(folder)
        if above == folder or _has_table(folder):
            return "." if above == folder else folder
        folder = above
    return folder


def _has_table(folder: str) -> bool:
    try:
        with open(os.path.join(folder, history_settings.TOML), "rb", buffering=0) as file:
            return b"tool.alembic" in file.read()
    except OSError:
        return False


def check(where: Where, staged: bool, process: Mapping[str, str]) -> Report:
    """Check a history: of the folder or, with `staged`, what git will hold. Raises ConfigurationError."""
    locations = where.locations
    commit = pushed(process) if staged else ""
    state = commit or (git_history.INDEX if staged else git_history.FOLDER)
    places = git_history.Places(locations)
    listing = git_tree.start_index(places.words) if state == git_history.INDEX else None
    asked = git_history.start_base(places, state)
    wanted = settings.load(where.project)
    given = _committed(places, commit) if commit else _staged(places, listing) if staged else _in_folder(locations)
    history, faults = given.reading
    git, advice = given.git._replace(texts=given.texts), Advice()
    base = git_history.base(places, asked, state)
    if base:
        git = git._replace(branch=base.branch, base=base.commit, changed=base.changed)
    if len(history.heads) > 1:
        git = git._replace(authors=_authors(locations, history, commit or "HEAD"))
        advice = _advice(where, process if staged else None)
    found = history_checks.check(history, faults, git, advice, locations.named_by_id)
    note = "" if base else "no default branch is known here: whether something published was edited was not looked at"
    return Report(history.heads, _weighed(found, wanted), note)


def _authors(locations: Locations, history: History, tip: str) -> dict[str, str]:
    """Return who wrote the heads, where there is a git that knows."""
    paths = [history[id_].path for id_ in history.heads[: history_checks.MOST_NAMED]]
    names = {path: os.path.join(locations.root, path) for path in paths}
    return git_history.authors(names, tip) if git_files.word("rev-parse", "--git-dir") else {}


def _advice(where: Where, process: Mapping[str, str] | None) -> Advice:
    """Return the commands of this repository, or Alembic's own; a commit (`process`) needs what they write, too."""
    from shlex import quote  # noqa: PLC0415 -- only several heads need it

    project = os.path.realpath(where.project)
    ours = project == ROOT
    merge = OURS[0] if ours else Advice().merge
    if project != os.path.realpath(".") and not ours:
        merge = f"(cd {quote(where.project)} && {merge})"
    merging = git_history.merging()
    if process is not None:
        merge += f" && git add {quote(where.locations.shown(where.locations.folders[0]))} && git commit"
        if merging:
            merge += " --no-edit"
        elif pushed(process) or process.get("PRE_COMMIT_REWRITE_COMMAND"):
            merge += ' -m "merge the heads"'
    return Advice(merge, OURS[1] if ours and not merging else "")


def _in_folder(locations: Locations) -> Given:
    files = list(history_files.sources(locations))
    return Given(history_files.assemble(files), _texts(files), Git())


def _texts(files: Iterable[tuple[str, bytes | Fault]]) -> dict[str, bytes]:
    return {path: source for path, source in files if isinstance(source, bytes)}


def _staged(places: Places, listing: Running | None) -> Given:
    """Return what the next commit holds. The files of the folder are read while git looks at them."""
    read = _texts(history_files.sources(places.locations))
    held = git_tree.index(places.shown, places.words, listing)
    if read and not (held.entries or held.not_added or held.unmerged):
        raise _unseen(next(iter(read)))
    texts = dict(git_tree.texts(held, read))
    git = Git(not_added=git_tree.outside(held), unmerged=held.unmerged)
    return Given(history_files.assemble(texts.items()), texts, git)


def _committed(places: Places, commit: str) -> Given:
    """Return what a commit holds."""
    texts = dict(git_tree.texts(git_tree.commit(places.shown, places.words, commit)))
    return Given(history_files.assemble(texts.items()), texts, Git())


def _unseen(path: str) -> Exception:
    """Return what to raise where git sees nothing and Alembic does: no answer would be a wrong one."""
    from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free

    return ConfigurationError(
        f"{path} is nothing that this repository could hold (is it in a submodule?); nothing was checked",
        "run the check in the repository that holds it",
    )


def pushed(process: Mapping[str, str]) -> str:
    """Return the commit that is about to be pushed, as pre-commit names it, or "".

    It names a range of commits, but the branch alone where the whole history goes to an empty repository.
    """
    return process.get("PRE_COMMIT_TO_REF") or process.get("PRE_COMMIT_LOCAL_BRANCH") or ""


def _weighed(found: Sequence[Finding], wanted: settings.Settings) -> list[Finding]:
    """Return the findings as the project weighs them, without those that it has switched off."""
    weighed = []
    for finding in found:
        severity = wanted.severity(finding.rule, finding.severity)
        if severity and not (finding.rule == "several-heads" and wanted.several_heads):
            weighed.append(finding._replace(severity=severity))
    return weighed
