"""Tasks that look at one database: status, journal."""

from invoke.context import Context

from app.migrations.errors import NegativeAnswer
from scripts.tasks.command import command


@command(default=True, help={"check": "exit 1 unless the database is at head"})
def status(c: Context, env: str = "", check: bool = False, json: bool = False) -> None:
    """Show where a database stands, on one screen."""
    from app.migrations.standing import State, cure, words
    from scripts.tasks import documents, screen, workplace

    place = workplace.enter(env)
    read = place.status()
    if json:
        documents.show(documents.status(place, read))
    else:
        screen.status(place, read)
    if check and read.standing.state is not State.AT_HEAD:
        reason = f"{place.name} is not at head: {words(read.standing, read.running)}"
        raise NegativeAnswer(reason, cure(place.name, read.standing, read.running))


@command(help={"limit": "how many rows, the newest first"})
def journal(c: Context, env: str = "", limit: int = 20, json: bool = False) -> None:
    """Show who applied what, when, and for how long."""
    from app.migrations import failures
    from app.migrations.journal import read
    from scripts.tasks import documents, screen, workplace

    place = workplace.enter(env)
    schema = place.status().seen.schema
    with failures.explained(place.target.place), place.engine.connect() as connection:
        entries = read(connection, schema, limit)
    if json:
        documents.show(documents.journal(place.name, entries))
    else:
        screen.journal(place.name, entries)
