"""A database that holds one of everything: rich_schema.sql. Works on PostgreSQL 15 and later, as a superuser."""

from pathlib import Path

from app.migrations import scratch
from tests.migrations.chains import ask

SOURCE = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def template(admin: str) -> str:
    """Return the name of a template with the rich schema, for scratch.database(admin, name)."""
    return scratch.template(admin, SOURCE, build)


def build(url: str) -> None:
    """Run rich_schema.sql in an empty database."""
    ask(url, SOURCE)
