"""What a rule is, and what it finds. Knows none of them."""

from collections.abc import Callable, Iterator

from app.migrations.findings import Severity
from app.migrations.lean import NamedTuple
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Operation


class Known(NamedTuple):
    """What a file alone does not say: the importable names of the project's own code, and revisions of the past.

    `past` are those that `check_after` leaves alone.
    """

    packages: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()


class Problem(NamedTuple):
    """A finding before it is weighed; `first` and `last` are the lines of the statement that it is about."""

    line: int
    message: str
    instead: str
    first: int = 0
    last: int = 0


class Rule(NamedTuple):
    """One rule. `find` says what is wrong in a migration; `of_downgrades` that a project without them is spared."""

    name: str
    severity: Severity
    find: Callable[[Migration, Known], Iterator[Problem]]
    way_out: str
    documentation: str
    of_downgrades: bool = False

    @property
    def summary(self) -> str:
        """Return the first sentence of the documentation, without the rule's name."""
        return self.documentation.partition("\n")[0].partition(": ")[2].strip()


def at(operation: Operation, message: str, instead: str) -> Problem:
    """Return a problem with one operation."""
    return Problem(operation.line, message, instead, operation.place.first, operation.place.last)


def allowed(rule: str, when: str) -> str:
    """Return how a finding is silenced, and when that is right."""
    return f"{when} Say so: `# allow: {rule} -- reason`"
