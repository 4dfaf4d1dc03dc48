"""What a project has said about the findings on a revision: rules that are off, and comments that allow one."""

from typing import NamedTuple

from app.migrations.checks import allowances
from app.migrations.checks.allowances import Allowance
from app.migrations.checks.settings import Settings
from app.migrations.findings import Severity
from app.migrations.headers import Fault
from app.migrations.sources.migration import parse


class Wishes(NamedTuple):
    """The wishes about one file. `allowed` are its comments `# allow: RULE -- reason`."""

    settings: Settings = Settings()
    allowed: tuple[Allowance, ...] = ()

    def weight(self, rule: str, usual: Severity) -> Severity | None:
        """Return what a finding of `rule` weighs before the tables are looked at; None where it is off."""
        return self.settings.severity(rule, usual)

    def allow(self, rule: str, line: int) -> bool:
        """Tell whether a comment of the file allows `rule` for the statement that begins at `line`."""
        return any(each.rule == rule and each.covers(line, line, line) for each in self.allowed)


def read(path: str, source: bytes, settings: Settings) -> Wishes:
    """Return the wishes that a file holds, beside those of the project; a file that cannot be parsed has none."""
    migration = parse(path, source)
    if migration is None or isinstance(migration, Fault):
        return Wishes(settings)
    found = [each for each in allowances.read(migration) if each.reason]
    places = [operation.place for operation in migration.upgrade.operations]
    spread = [
        each._replace(target=place.first)
        for each in found
        for place in places
        if place.first < each.target <= place.last
    ]
    return Wishes(settings, (*found, *spread))
