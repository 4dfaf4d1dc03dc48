"""What the tasks on environments show, as tables, lines and documents. Prints; decides nothing and reads nothing."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.migrations import findings, urls
from app.migrations.checkup import Report
from app.migrations.claims import Claim, Kind
from app.migrations.environment_sources import Value
from app.migrations.environments import Environment
from app.migrations.identity import Facts, Standing
from app.migrations.standing import State, revisions
from app.migrations.status import Status
from app.migrations.survey import Row
from scripts.tasks import documents
from scripts.tasks.documents import Document
from scripts.tasks.lines import say

COLUMNS = ("name", "protected", "backup", "reachable", "revision", "pending", "last run", "identity")


def list_table(rows: Sequence[Row], offline: bool) -> None:
    """Print one line for each environment, in 80 columns."""
    shown = (*COLUMNS[:3], "database") if offline else COLUMNS
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for column in shown:
        fixed = column not in ("database", "reachable", "identity", "revision")
        table.add_column(column, no_wrap=fixed, overflow="fold")
    for row in rows:
        cells = [row.name, *_policy(row), *([_database(row)] if offline else [_reachable(row), *_standing(row.status)])]
        table.add_row(*(Text(cell) for cell in cells))
    Console(highlight=False).print(table)


def list_document(rows: Sequence[Row]) -> Document:
    """Return what `env.list` answers; `reachable` is null where nothing was asked."""
    return {"environments": [_listed(row) for row in rows]}


def show_table(environment: Environment, values: Sequence[Value]) -> None:
    """Print the keys of one environment, their values and where these come from."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("key", no_wrap=True)
    table.add_column(f"value in {environment.name}", overflow="fold")
    table.add_column("from", overflow="fold")
    for value in values:
        table.add_row(value.key, Text(value.text), Text(value.source, "dim"))
    Console(highlight=False).print(table)


def show_document(environment: Environment, values: Sequence[Value]) -> Document:
    """Return what `env.show` answers."""
    keys = [{"key": value.key, "value": value.text, "source": value.source} for value in values]
    return {"environment": environment.name, "keys": keys}


def check_lines(reports: Sequence[Report]) -> None:
    """Print the findings, then one line for each environment and what was reached."""
    for report in reports:
        for finding in report.findings:
            say(findings.text(finding))
    for report in reports:
        count = len(report.findings)
        verdict = ("ok", "green") if not count else (f"{count} {'fault' if count == 1 else 'faults'}", "bold red")
        server = f", PostgreSQL {report.server}" if report.server else ""
        where = f" ({report.described}{server})" if report.described else ""
        say((report.name, "bold"), ": ", verdict, f", {report.state.value}{where}")


def check_document(reports: Sequence[Report]) -> Document:
    """Return what `env.check` answers; `line` is null where a finding is about a whole file or a database."""
    return {
        "environments": [
            {
                "environment": report.name,
                "state": report.state.value,
                "database": report.described or None,
                "server": report.server or None,
                "findings": [_finding(one) for one in report.findings],
            }
            for report in reports
        ]
    }


def _finding(one: findings.Finding) -> Document:
    return {
        "path": one.path,
        "line": one.line or None,
        "rule": one.rule,
        "message": one.message,
        "next": one.instead,
    }


def claim_heading(claim: Claim) -> None:
    """Say what the database has recorded and what it is, before anything is asked."""
    place, recorded = claim.target.place, claim.seen.recorded
    if claim.kind is Kind.OURS:
        name = recorded.environment if recorded else "nothing"
        say(f"nothing to do: {place.described} is recorded as {name} already")
        return
    say((place.described, "bold"))
    if recorded is None:
        say("  recorded  nothing")
    else:
        protected = ", protected" if recorded.protected else ""
        say(f"  recorded  {recorded.environment}{protected}, {recorded.recorded_at}: {facts(recorded.facts)}")
    say(f"  seen      {facts(claim.seen.facts)}")
    if claim.kind is Kind.PHYSICAL and recorded is not None:
        say(
            f"  A snapshot of {recorded.environment} and {recorded.environment} itself look the same. If this is "
            f"{recorded.environment} itself, claiming it takes it away from there."
        )
    sys.stdout.flush()


def claim_conclusion(claim: Claim) -> None:
    """Say what was recorded."""
    name = claim.target.environment.name
    was = f", before: {claim.seen.recorded.environment}" if claim.seen.recorded else ", before: nothing"
    say(("done", "bold green"), f": the database is recorded as {name}{was}")


def facts(one: Facts) -> str:
    """Return what a database is, in words."""
    system = f"system {one.system}" if one.system else "system identifier not readable"
    return f'database "{one.database}" (oid {one.oid}) on {one.host}:{one.port}, {system}'


def _policy(row: Row) -> tuple[str, str]:
    if row.environment is None:
        return "?", "?"
    return "yes" if row.environment.protected else "no", row.environment.backup.value


def _database(row: Row) -> str:
    if row.environment is None or not row.environment.database_url:
        return row.problem
    return urls.described(row.environment.database_url)


def _reachable(row: Row) -> str:
    return "yes" if row.status else row.problem


def _standing(read: Status | None) -> tuple[str, ...]:
    if read is None:
        return ("", "", "", "")
    standing = read.standing
    pending = "?" if standing.state is State.UNKNOWN else str(len(standing.pending))
    last = "" if read.last is None else read.last.started_at.strftime("%Y-%m-%d")
    return revisions(standing), pending, last, _identity(read)


def _identity(read: Status) -> str:
    recorded = read.seen.recorded
    if recorded is None:
        return "unreadable" if read.seen.unreadable else "none" if read.verdict.allows_change else "refused"
    standing = read.verdict.standing
    word = "" if read.verdict.allows_change else " (another's)" if standing is Standing.ANOTHERS else " (copy)"
    return recorded.environment + word


def _listed(row: Row) -> dict[str, Any]:
    environment, read = row.environment, row.status
    url = environment.database_url if environment else ""
    asked: dict[str, Any] = {"revisions": None, "state": None, "pending": None, "last_change": None, "identity": None}
    if read is not None:
        asked = {
            "revisions": list(read.standing.revisions),
            "state": read.standing.state.value,
            "pending": len(read.standing.pending),
            "last_change": documents.entry(read.last) if read.last else None,
            "identity": {
                "environment": read.seen.recorded.environment if read.seen.recorded else None,
                "standing": read.verdict.standing.value,
                "reason": read.verdict.reason or read.seen.unreadable or None,
            },
        }
    return {
        "environment": row.name,
        "protected": environment.protected if environment else None,
        "backup": environment.backup.value if environment else None,
        "database": urls.described(url) if url else None,
        "reachable": True if read else False if row.problem else None,
        "problem": row.problem or None,
        "detail": row.detail or None,
        **asked,
    }
