"""Writes the revision that joins heads, and keeps it only where it holds. Never touches a target.

What the file says is proven on scratch databases; where that fails, or is interrupted, the file is gone again.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.migrations import history_checks, history_files, roundtrip, runner, termination
from app.migrations.checks import settings
from app.migrations.errors import ConfigurationError, Refused
from app.migrations.findings import Severity
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.project import open_project
from app.migrations.roundtrip_report import Report, Result

HEADS = "several-heads"


class Written(NamedTuple):
    """The new revision and its roundtrip; where that `failed` the file is not there any more."""

    revision: str
    path: Path
    report: Report
    failed: bool


def sound(root: Path) -> History:
    """Read the history. Raises ConfigurationError where more is wrong with its graph than several heads."""
    history, faults = history_files.read(str(root))
    for found in history_checks.check(history, faults, named_by_id=False):
        if found.severity is Severity.ERROR and found.rule != HEADS:
            raise ConfigurationError(
                f"{found.path}:{found.line}: {found.message}; nothing was written", found.instead or "inv db.check"
            )
    return history


def refuse_what_is_on_purpose(root: Path, history: History, command: str, option: str) -> None:
    """Raise Refused where the project says that it has several heads on purpose: which ones are meant is to be said."""
    if len(history.heads) > 1 and settings.load(str(root)).several_heads:
        heads = history.heads
        joiner = ", or " if option == "--onto" else " "
        raise Refused(
            f"{settings.FILE} says that several heads are meant here ({', '.join(heads)}); nothing was written",
            f"{command} {joiner.join(f'{option}={head}' for head in heads)}",
        )


def write(root: Path, admin_url: str, heads: Sequence[str], message: str) -> Written:
    """Write the merge of `heads` as `db.revision` writes a revision, and take it up, down and up again.

    Raises what Alembic's refusals become, and what `roundtrip.check` does; then no file is left.
    """
    before = {revision.path for revision in history_files.read(str(root)).history.files}
    try:
        with termination.raised("no revision was written"):
            path = runner.merge(root, message, heads)
            revision = next(each for each in _fresh(root, before) if set(each.parents) == set(heads)).id
            with open_project(root) as project:
                report = roundtrip.check(project, admin_url, roundtrip.Settings(only=(revision,)))
            failed = not holds(report)
            if failed:
                path.unlink()
    except BaseException as error:
        for left in _fresh(root, before):
            if set(left.parents) == set(heads):
                with suppress(OSError):
                    (root / left.path).unlink()
        if isinstance(error, OSError) and error.filename:
            raise ConfigurationError(
                f"{error.filename} cannot be written: {error.strerror}; no revision was written",
                "ls -ld alembic/versions",
            ) from error
        raise
    return Written(revision, path, report, failed)


def holds(report: Report) -> bool:
    """Tell whether every revision that was checked comes back; one that could not be checked does not count as good.

    How the models differ from the head is another matter: what makes one head of two must not wait for that.
    """
    good = all(one.result in {Result.OK, Result.IRREVERSIBLE} for one in report.revisions)
    return bool(report.revisions) and good and not any(way.failed or way.differences for way in report.ways)


def _fresh(root: Path, before: set[str]) -> list[Revision]:
    return [each for each in history_files.read(str(root)).history.files if each.path not in before]
