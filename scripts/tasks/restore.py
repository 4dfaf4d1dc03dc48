"""The task that brings a backup back."""

from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from app.migrations.restore import Outcome, Road

HELP = {
    "backup": "latest, a name of `db.backups` or how it begins, or the path of a folder",
    "into": "restore into a new database of this name, and leave the environment's own alone",
    "terminate": "end the sessions in the old database at the last moment",
    "schema_only": "no rows; only with --into",
    "table": "SCHEMA.NAME, only this table and what it needs; can be given several times; only with --into",
    "yes": "do not ask, on a protected environment",
}


@command(help=HELP, iterable=["table"])
def restore(
    c: Context,
    env: str = "",
    backup: str = "latest",
    into: str = "",
    table: list[str] | None = None,
    terminate: bool = False,
    schema_only: bool = False,
    yes: bool = False,
) -> None:
    """Put a backup in the place of the database, which is kept under another name."""
    from datetime import UTC, datetime

    from app.migrations import restore as road
    from app.migrations import restore_plan
    from scripts.tasks import bars, confirmation, lines

    asked = restore_plan.Request(backup, into, terminate, schema_only, tuple(table or ()))
    way = _road(env)
    situation = road.gather(way, asked)
    lines.say((way.target.environment.name, "bold"), f": {way.target.described}")
    for line in restore_plan.described(situation, datetime.now(UTC)):
        lines.say(f"  {line}")
    restore_plan.decide(situation)
    if way.target.environment.protected and not into:
        confirmation.confirm(way.target.environment.name, yes)
    with bars.followed("restoring") as advance:
        reached = road.run(way._replace(advance=advance), situation)
    _report(way, reached)


def _road(env: str) -> "Road":
    import sys

    from app.migrations.redaction import redact
    from app.migrations.restore import Road
    from scripts.tasks import reaching

    place = reaching.reach(env)
    return Road(ROOT, place.target, place.engine, lambda line: print(redact(line), file=sys.stderr, flush=True))


def _report(way: "Road", reached: "Outcome") -> None:
    """Look again over a new connection, and say what is active, what is kept, and what removes it."""
    import shlex

    from app.migrations import restore_survey, urls
    from app.migrations.maintenance import MAINTENANCE
    from app.migrations.quoting import quoted
    from app.migrations.restore_plan import mebibytes
    from scripts.tasks import lines

    for label in reached.left_out:
        lines.say(("notice", "bold"), f": left out, as it belongs to tables that were not asked for: {label}")
    revisions = restore_survey.look_again(way.target, reached.name, reached.oid)
    at = f"at {', '.join(revisions) or 'base'}, {reached.rows} rows in {reached.tables} tables equal to the backup"
    lines.say(("done", "bold green"), f': "{reached.name}" is the restored database, {at}')
    if reached.kept:
        maintenance = next(name for name in MAINTENANCE if name != reached.name)
        conninfo = urls.to_libpq(restore_survey.url_of(way.target, maintenance)).conninfo
        drop = shlex.join(["psql", conninfo, "-c", f"DROP DATABASE {quoted(reached.kept)}"])
        size = "" if reached.kept_size is None else f" ({mebibytes(reached.kept_size)})"
        lines.say(f'  kept: "{reached.kept}"{size}; when it is no longer needed: {drop}')
