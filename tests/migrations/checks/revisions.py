"""Revision files as texts, and what the checks say about them."""

from textwrap import dedent

from app.migrations.checks.rule import Known
from app.migrations.checks.rules import DEFAULTS, check_file
from app.migrations.checks.settings import Settings
from app.migrations.findings import Finding, text

HEADER = 'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "a1"\ndown_revision = "b2"\n'
BARRED = '\n\nirreversible = "a test"\n\n\ndef downgrade():\n    raise NotImplementedError(irreversible)\n'
KNOWN = Known(frozenset({"app"}))


def source(upgrade: str, downgrade: str = "", header: str = HEADER) -> bytes:
    """Return a file: the lines of its upgrade, and of its downgrade; without one it says that it is irreversible."""
    down = f"\n\ndef downgrade():\n{indented(downgrade)}" if downgrade else BARRED
    return f"{header}\n\ndef upgrade():\n{indented(upgrade)}{down}".encode()


def indented(body: str) -> str:
    """Return the body of a function; a function that follows on it stays at the left margin."""
    inside, mark, after = dedent(body).strip("\n").partition("\ndef ")
    lines = "".join(f"    {line}\n" if line else "\n" for line in inside.split("\n"))
    return lines + (f"{mark}{after}\n" if mark else "")


def check(upgrade: str, downgrade: str = "", header: str = HEADER, settings: Settings = DEFAULTS) -> list[Finding]:
    return check_file("v/a1.py", source(upgrade, downgrade, header), settings, KNOWN)


def check_text(whole: str, settings: Settings = DEFAULTS) -> list[Finding]:
    return check_file("v/a1.py", dedent(whole).encode(), settings, KNOWN)


def fired(upgrade: str, downgrade: str = "", header: str = HEADER) -> list[str]:
    """Return the rules that find something."""
    return [finding.rule for finding in check(upgrade, downgrade, header)]


def told(rule: str, upgrade: str, downgrade: str = "", header: str = HEADER) -> str:
    """Return what a person reads about the one finding of a rule."""
    (found,) = [finding for finding in check(upgrade, downgrade, header) if finding.rule == rule]
    return text(found)
