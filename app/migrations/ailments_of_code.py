"""What can be wrong with the code's history or the environment's files. Decides on symptoms; reads nothing."""

import shlex
from collections.abc import Iterator

from app.migrations.diagnosis import Finding
from app.migrations.symptoms import Symptoms

AGAIN = "then inv db.doctor again"


def unusable_environment(seen: Symptoms) -> Iterator[Finding]:
    """Find environment files that no command can use."""
    if seen.unusable is not None:
        yield Finding("unusable-environment", seen.unusable.message, decide=seen.unusable.hint)


def unusable_settings(seen: Symptoms) -> Iterator[Finding]:
    """Find settings of Alembic that do not lead to a history."""
    if seen.code.broken is not None:
        yield Finding("unusable-settings", seen.code.broken.message, decide=seen.code.broken.hint)


def unreadable_file(seen: Symptoms) -> Iterator[Finding]:
    """Find files that Alembic would load and whose place in the history cannot be known."""
    for fault in seen.code.faults:
        cause = f"{fault.path}:{fault.line}: {fault.message}; no command can use the history"
        yield Finding("unreadable-file", cause, decide=fault.instead, details=(f"rule: {fault.rule}",))


def duplicate_id(seen: Symptoms) -> Iterator[Finding]:
    """Find ids that several files have: Alembic only warns, and never runs one of them."""
    for same in seen.code.history.duplicates:
        id_, paths = same[0].id, [revision.path for revision in same]
        cause = f"{len(paths)} files are revision {id_}, and Alembic runs only one of them: {', '.join(paths)}"
        if id_ in seen.code.twins:
            yield Finding("duplicate-id", f"{cause}; they say the same", shlex.join(["rm", *paths[1:]]))
        else:
            yield Finding(
                "duplicate-id", cause,
                decide="see which one the databases have (inv db.journal); give the other a new id and another parent,"
                " or delete it",
            )  # fmt: skip


def clashing_label(seen: Symptoms) -> Iterator[Finding]:
    """Find branch labels that mean two things."""
    for label, revision in seen.code.history.clashes:
        cause = f"the branch label {label} of {revision.path} is an id, or the label of another revision, too"
        yield Finding("clashing-label", f"{cause}: Alembic loads no history with it", decide="give one another label")


def missing_parent(seen: Symptoms) -> Iterator[Finding]:
    """Find parents and dependencies that are named and not there, with where git or the journal has them."""
    traces = seen.database.traces if seen.database else {}
    for name in dict.fromkeys(name for _, name in seen.code.history.missing):
        naming = next(revision for revision, missing in seen.code.history.missing if missing == name)
        cause = f"{naming.path}:{naming.line} names {name}, which is not there: no command can use the history"
        found, trace = seen.code.in_git.get(name), traces.get(name)
        if found:
            command = f"git restore --source={found.commit[:12]} -- {shlex.quote(found.path)}"
            yield Finding("missing-parent", cause, command, details=(f"commit {found.commit[:12]} has its file",))
        elif trace and trace.has_source:
            command = seen.reach.inv("db.repair", f"--restore-file={name}")
            details = ("git has no file of it, and the journal holds the source that was applied",)
            yield Finding("missing-parent", cause, command, details=details)
        else:
            yield Finding(
                "missing-parent", cause,
                decide=f"git fetch --all, {AGAIN}; else ask who wrote {naming.path} for it, or correct its parent",
                details=("neither git nor the journal has its file",),
            )  # fmt: skip


def cycle(seen: Symptoms) -> Iterator[Finding]:
    """Find circles of parents."""
    for circle in seen.code.history.cycles:
        paths = [seen.code.history[id_].path for id_ in circle]
        yield Finding(
            "cycle", f"the history runs in a circle, and no command can use it: {' -> '.join([*circle, circle[0]])}",
            decide=f"correct down_revision in one of {', '.join(paths)}: git log -p shows what it was",
        )  # fmt: skip


def several_heads(seen: Symptoms) -> Iterator[Finding]:
    """Find a history that ends in several places."""
    heads = seen.code.history.heads
    if len(heads) > 1 and seen.code.is_whole:
        cause = f"the history has {len(heads)} heads, and `head` means none of them: {', '.join(heads)}"
        yield Finding("several-heads", cause, "inv db.merge")
