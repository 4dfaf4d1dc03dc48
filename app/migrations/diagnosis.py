"""What the doctor says: a case, its cause and its cure, as values. Decides nothing and reads nothing."""

from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """What a finding keeps from working; the value is the text shown."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Finding(NamedTuple):
    """One thing that is wrong. `cause` is a sentence without its full stop, `details` are facts behind it.

    `command` is one command for a shell, at the root of the repository, that cures it. `decide` is what a person has
    to find out, to decide or to do first; where there is no command, it is the whole cure.
    """

    case: str
    cause: str
    command: str = ""
    decide: str = ""
    details: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR


UNREACHABLE = "unreachable"
"""The case whose exit code is its own where it is the only one."""


def exit_code(findings: tuple[Finding, ...]) -> int:
    """Return 0 where nothing was found, 4 where all there is to say is that the database does not answer, else 1."""
    if not findings:
        return 0
    return 4 if {one.case for one in findings} == {UNREACHABLE} else 1
