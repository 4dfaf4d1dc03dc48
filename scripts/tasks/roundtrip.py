"""The task that takes a history up, down and up again on scratch databases: roundtrip."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from app.migrations.roundtrip import Report, Settings


@command(
    iterable=["only"],
    help={
        "since": "what a branch adds to this one, such as main; or what stands above a revision",
        "only": "a revision, or the beginning of its id; may be repeated",
        "no_rows": "leave the tables empty",
        "rows": "how many rows each table gets (20)",
        "seed": "another number, other rows",
        "strict": "another order of columns is a fault",
        "pg": "major version of the private PostgreSQL: 18 or 16, or one that PG_BIN has",
        "plain_env": "run without the project's env.py",
        "stub_imports": "put empty modules in the place of those that are not there",
        "section": "the section of alembic.ini, as `alembic -n`",
        "junit": "write the report as JUnit XML into this file too",
        "format": "text, json, github or sarif",
    },
)
def roundtrip(
    c: Context, since: str = "", only: "list[str]" = [], no_rows: bool = False, rows: int = 20, seed: int = 0,  # noqa: B006
    strict: bool = False, pg: int = 0, plain_env: bool = False, stub_imports: bool = False, section: str = "alembic",
    json: bool = False, junit: str = "", format: str = "text",  # noqa: A002 -- the option's name
) -> None:  # fmt: skip
    """Take every revision up, down and up again, with rows in the tables."""
    from app.migrations import findings
    from app.migrations import roundtrip as roundtrips
    from scripts.tasks import documents, roundtrip_screen

    form = documents.form("json" if json else format, findings.FORMATS)
    settings = roundtrips.Settings(since or None, tuple(only), 0 if no_rows else rows, seed, strict)
    how = {"section": section, "plain_env": plain_env, "stub_imports": stub_imports}
    report = _run(settings, how, pg or None, quiet=form != "text")
    if junit:
        Path(junit).write_text(report.junit(), encoding="utf-8")
    if form == "json":
        documents.show(report.document())
    elif form == "text":
        roundtrip_screen.report(report)
    else:
        findings.write(findings.render([each for one in report.revisions for each in one.findings], form))
    roundtrip_screen.conclude(report)


def _run(settings: "Settings", how: dict[str, object], pg: int | None, quiet: bool) -> "Report":
    """Check the project that ALEMBIC_CONFIG names, or this one, on the server of SCRATCH_URL, or the private one."""
    from app.migrations import roundtrip, scratch
    from app.migrations.project import open_project
    from scripts.tasks import roundtrip_screen

    named = os.environ.get("ALEMBIC_CONFIG")
    config = Path(named).absolute() if named else None
    root = config.parent if config else ROOT
    admin = scratch.admin_url(ROOT, os.environ.get("SCRATCH_URL") or scratch.EMBEDDED, os.environ.get("PG_BIN", ""), pg)
    with open_project(root, config=config, **how) as project, roundtrip_screen.progress(quiet) as said:  # type: ignore[arg-type]
        return roundtrip.check(project, admin, settings, said)
