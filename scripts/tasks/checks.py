"""The task db.check: what the hooks check, on the working tree."""

from invoke.context import Context

from scripts.tasks.command import ROOT, command


@command(help={"format": "text, json, github or sarif (json is --json)"})
def check(c: Context, format: str = "text", json: bool = False) -> None:  # noqa: A002 -- the name of the option
    """Check the history, the revisions and the environment files."""
    import os
    import sys
    from contextlib import chdir

    from app.migrations import findings, history_files, history_settings
    from scripts.hooks import ends, environment_files, history, migrations
    from scripts.tasks import documents

    how = documents.form("json" if json else format, findings.FORMATS)
    with chdir(ROOT):
        locations = history_settings.locate(str(ROOT))
        report = history.check(history.Where(locations), staged=False, process=os.environ)
        texts = {path: text for path, text in history_files.sources(locations) if isinstance(text, bytes)}
        others = [*migrations.check(texts, str(ROOT)), *environment_files.check(ROOT, False, os.environ)]
    found = findings.in_order([*report.findings, *others])
    if report.note:
        print(f"note: {report.note}", file=sys.stderr)
    code = ends.reported(found, how, report.heads)
    if how == "text":
        heads = ", ".join(report.heads) or "none"
        print(f"{_counted(len(texts), 'revision')}, head {heads}: {_counted(len(found), 'finding')}")
    raise SystemExit(code)


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
