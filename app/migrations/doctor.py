"""Says what is wrong with an environment's database and the code, and what cures it. Reads; never changes anything.

It works where almost everything is broken: what cannot be read is itself a finding, and the rest is still looked at.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, make_url

from app.migrations import ailments, code_symptoms, database_symptoms, diagnosis, programs, targets, urls
from app.migrations.database_symptoms import Visit
from app.migrations.diagnosis import Finding
from app.migrations.environments import Environment
from app.migrations.errors import ConfigurationError, MigrationError
from app.migrations.quoting import quoted
from app.migrations.symptoms import Reach, Symptoms
from app.migrations.targets import Target


class Practice(NamedTuple):
    """What the doctor needs: `connect` makes an engine without a pool; `say` hears of what takes its time."""

    root: Path
    connect: Callable[[str], Engine]
    say: Callable[[str], None]


class Report(NamedTuple):
    """What was found; `described` and `server` are "" where that was not read, `notes` what was not looked at."""

    environment: str
    described: str
    server: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 where nothing was found, 4 where the database does not answer and nothing else is wrong, else 1."""
        return diagnosis.exit_code(self.findings)


def unusable(practice: Practice, name: str, error: MigrationError) -> Report:
    """Return the report of an environment whose files cannot be used: the code is looked at all the same."""
    code = code_symptoms.with_lost_files(code_symptoms.read(practice.root), practice.root, ())
    return _report(Symptoms(Reach(name), code, unusable=error), "")


def examine(practice: Practice, environment: Environment) -> Report:
    """Look at everything. A private server is started; a scratch database is made where nothing is remembered."""
    seen = Symptoms(Reach(environment.name), code_symptoms.read(practice.root))
    try:
        target = targets.resolve(environment, practice.root)
    except MigrationError as error:
        return _report(_with_git(seen._replace(silent=error), practice.root), "")
    return _report(symptoms_of(practice, target), target.described)


def symptoms_of(practice: Practice, target: Target) -> Symptoms:
    """Read code and database; raises nothing that either can be guilty of."""
    seen = Symptoms(_reach(target), code_symptoms.read(practice.root))
    engine = practice.connect(target.url)
    seen = database_symptoms.with_database(seen, Visit(target, engine, practice.root, practice.say))
    return _with_git(database_symptoms.with_traces(seen, engine), practice.root)


def _with_git(seen: Symptoms, root: Path) -> Symptoms:
    rows = seen.database.rows if seen.database else ()
    unknown = [row for row in rows if row not in seen.code.history]
    return seen._replace(code=code_symptoms.with_lost_files(seen.code, root, unknown))


def _report(seen: Symptoms, described: str) -> Report:
    database, version = seen.database, ""
    notes = []
    if database is not None:
        version = f"{database.server.version // 10000}.{database.server.version % 10000}"
        if database.drift.why_not:
            notes.append(f"the schema was not compared with that of its revision: {database.drift.why_not}")
    return Report(seen.reach.environment, described, version, ailments.diagnose(seen), tuple(notes))


def _reach(target: Target) -> Reach:
    """Return how commands name the database; a psql that is not on PATH is named with its folder."""
    try:
        conninfo = urls.to_libpq(target.url).conninfo
    except ConfigurationError:  # a secret that only the URL can hold: psql has to be told where by hand
        conninfo = f"dbname={quoted(make_url(target.url).database or '')}"
    return Reach(target.environment.name, conninfo, _psql(target.environment.pg_bin))


def _psql(pg_bin: str) -> str:
    if shutil.which("psql"):
        return "psql"
    try:
        found = Path(programs.find_server_programs(pg_bin).path("psql"))
    except ConfigurationError:
        return "psql"
    return str(found) if found.exists() else "psql"
