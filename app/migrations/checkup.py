"""The check-up of environments: reads files, asks databases, hands both to the checks. Changes nothing."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from app.migrations import environment_checks as checks
from app.migrations import programs, survey, urls
from app.migrations.environment_checks import File
from app.migrations.environments import Environment
from app.migrations.errors import MigrationError, Unreachable
from app.migrations.findings import Finding
from app.migrations.ownership import judge
from app.migrations.survey import Surveyor
from app.migrations.targets import Target

UNREACHABLE = "unreachable"


class State(Enum):
    """How far the check of an environment came; the value is the text shown."""

    FILES = "the files were read"
    NO_ADDRESS = "no address here"
    NOT_RUNNING = "the private server does not run; it starts when it is needed"
    NOT_MADE = "the private server makes the database when it is needed"
    SILENT = "the database was not reached"
    ANSWERED = "the database answered"


class Report(NamedTuple):
    """What was found about one environment; `server` is the server's version, where it was asked."""

    name: str
    state: State
    findings: tuple[Finding, ...]
    described: str = ""
    server: str = ""


def check(names: Sequence[str], surveyor: Surveyor, offline: bool) -> list[Report]:
    """Check environments at the same time; never raises because of what it finds."""
    tracked = survey.tracked_files(surveyor.root)
    files = {name: survey.read_files(surveyor.root, name, tracked) for name in names}

    def look(name: str) -> Report:
        return _check_one(name, *files[name], surveyor, offline)

    def late(name: str) -> Report:
        message = f"the database did not answer within {survey.WITHIN:.0f} s"
        return Report(name, State.SILENT, (_unreachable(name, message, f"inv db.status --env={name}"),))

    return survey.at_once(names, look, late)


def exit_code(reports: Sequence[Report]) -> int:
    """Return 0 where nothing was found, 4 where databases that cannot be reached are all there is, else 1."""
    rules = {finding.rule for report in reports for finding in report.findings}
    if not rules:
        return 0
    return Unreachable.exit_code if rules == {UNREACHABLE} else 1


def _check_one(
    name: str, files: Sequence[File], unreadable: MigrationError | None, surveyor: Surveyor, offline: bool
) -> Report:
    findings = [finding for file in files for finding in (*checks.check_file(file), *checks.check_secrets(file))]
    if unreadable is not None:
        findings.append(checks.finding_of(unreadable, name))
    environment, values = checks.check_values(name, _texts(files), surveyor.process)
    findings += values
    if environment is None or offline:
        return Report(name, State.FILES, tuple(findings))
    report = _ask(environment, surveyor)
    return report._replace(findings=(*findings, *report.findings))


def _texts(files: Sequence[File]) -> Mapping[str, str]:
    return {file.path: file.text for file in files}


def _ask(environment: Environment, surveyor: Surveyor) -> Report:
    """Ask the database of an environment whose files are in order."""
    name, url = environment.name, environment.database_url
    if not url:
        return Report(name, State.NO_ADDRESS, ())
    described = urls.described(url)
    try:
        target = survey.running_target(surveyor.root, environment)
        if target is None:
            programs.find_server_programs(environment.pg_bin)
            return Report(name, State.NOT_RUNNING, (), described)
        return _examined(target, surveyor)
    except MigrationError as error:
        if survey.is_unmade(environment, error):
            return Report(name, State.NOT_MADE, (), described)
        rule = UNREACHABLE if isinstance(error, Unreachable) else "database"
        if survey.few_words(error) == "no CONNECT":
            rule = "missing-right"
        finding = checks.blocking(checks.shared_path(name), 0, rule, error.message, error.hint)
        return Report(name, State.SILENT, (finding,), described)


def _examined(target: Target, surveyor: Surveyor) -> Report:
    name = target.environment.name
    rights, examination = survey.inspect(target, surveyor.connect)
    findings = checks.check_rights(name, rights)
    verdict = judge(target, examination, surveyor.root)
    path = checks.shared_path(name)
    if examination.unreadable:
        message = f"alembic_identity: {examination.unreadable}: whose database this is cannot be read"
        cure = f'GRANT SELECT ON {examination.schema}.alembic_identity TO "{rights.user}"'
        findings.append(checks.blocking(path, 0, "identity", message, cure))
    elif not verdict.allows_change:
        findings.append(
            checks.blocking(path, 0, "identity", f"{verdict.reason}: every change is refused", verdict.next)
        )
    version = f"{rights.version // 10000}.{rights.version % 10000}"
    return Report(name, State.ANSWERED, tuple(findings), target.described, version)


def _unreachable(name: str, message: str, cure: str) -> Finding:
    return checks.blocking(checks.shared_path(name), 0, UNREACHABLE, message, cure)
