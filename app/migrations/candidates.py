"""What a revision name could have meant: turns Alembic's refusals into errors that list the choices.

Reads the loaded history; never a database.
"""

import difflib
import re
from collections.abc import Iterable

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import CycleDetected, MultipleHeads, ResolutionError
from alembic.util import CommandError

from app.migrations.errors import ConfigurationError, Refused

MOST = 6
RELATIVE = re.compile(r"[+-]\d+$")


def explain(error: CommandError, script: ScriptDirectory, to: str | None) -> Refused | ConfigurationError:
    """Return the error to show for what Alembic refused; `to` is the revision that the user named."""
    cause = error.__cause__
    asked = RELATIVE.sub("", to or "")
    if isinstance(cause, MultipleHeads) and len(script.get_heads()) > 1:
        return _several_heads(script)
    if isinstance(cause, ResolutionError):
        name = str(cause.argument)
        return _unknown(name, script) if to and name in {to, asked} else _ahead(name)
    if to and RELATIVE.search(to):
        return ConfigurationError(
            f'"{to}" leads nowhere: {error}', f"one of: {listed(script.walk_revisions())}; or head, base"
        )
    return Refused(str(error), "`inv db.status` shows where the database stands, `inv db.history` the revisions")


def broken_history(error: Exception, folder: str) -> ConfigurationError:
    """Return the error for a history that cannot be loaded: a missing parent, a cycle, a broken file."""
    if isinstance(error, KeyError):
        return ConfigurationError(
            f"the history names a parent that is not there: {error.args[0]}; no command can use it",
            "get the missing file back (`git log --all -- alembic/versions`) or correct down_revision",
        )
    if isinstance(error, SyntaxError):
        return ConfigurationError(
            f"{error.filename}:{error.lineno}: {error.msg}; the history cannot be read",
            "correct this file",
        )
    if isinstance(error, CycleDetected) or isinstance(error.__cause__, CycleDetected):
        return ConfigurationError(f"the history runs in a circle: {error}", "correct down_revision in one of them")
    return ConfigurationError(
        f"the history in {folder} cannot be loaded: {type(error).__name__}: {error}",
        "correct the file that is named; `alembic history` shows where it fails",
    )


def refuse_steps(to: str) -> None:
    """Raise ConfigurationError for a number of steps, which a stamp does not take."""
    if RELATIVE.search(to):
        raise ConfigurationError(
            f'"{to}" is a number of steps, and a stamp needs a revision; nothing was changed',
            "`inv db.history` lists them, then inv db.stamp --to=REV",
        )


def listed(scripts: Iterable[Script]) -> str:
    """Return revisions as `ID (title)`, at most MOST of them, and how many more there are."""
    names = [f"{script.revision} ({script.doc})" for script in scripts]
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _several_heads(script: ScriptDirectory) -> Refused:
    heads = [script.get_revision(head) for head in script.get_heads()]
    return Refused(
        f"the history has {len(heads)} heads: {listed(head for head in heads if head)}; which one is not said",
        "inv db.merge, or name one with --to, or all with --to=heads",
    )


def _unknown(name: str, script: ScriptDirectory) -> ConfigurationError:
    scripts = list(script.walk_revisions())
    starting = [each for each in scripts if each.revision.startswith(name)] if name else []
    if len(starting) > 1:
        return ConfigurationError(
            f'"{name}" is the beginning of {len(starting)} revisions: {listed(starting)}',
            "write more characters of the one that is meant",
        )
    near = [*_near(name, scripts), *scripts]
    return ConfigurationError(
        f'there is no revision "{name}"; there are {listed(dict.fromkeys(near))}; or head, base, +1, -1',
        "`inv db.history` lists all of them",
    )


def _near(name: str, scripts: list[Script]) -> list[Script]:
    by_word = {word: script for script in scripts for word in (script.revision, script.doc)}
    return [by_word[word] for word in difflib.get_close_matches(name, by_word, n=3)]


def _ahead(name: str) -> Refused:
    return Refused(
        f"the database is at revision {name}, which this checkout does not have: it is ahead of the code, "
        "or was migrated from another branch; nothing was changed",
        "git pull, or check out the branch that has it; stamping would only hide the difference",
    )
