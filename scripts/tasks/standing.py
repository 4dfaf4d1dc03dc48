"""Tasks that look: status."""

from invoke.context import Context

from app.migrations.errors import NegativeAnswer
from scripts.tasks.command import command


@command(default=True, help={"check": "exit 1 unless the database is at head"})
def status(c: Context, env: str = "", check: bool = False) -> None:
    """Show where a database stands, on one screen."""
    from app.migrations.status import State
    from scripts.tasks import screen, workplace

    place = workplace.enter(env)
    read = place.status()
    screen.status(place, read)
    if check and read.standing.state is not State.AT_HEAD:
        reason = f"{place.name} is not at head: {screen.words(read.standing)}"
        raise NegativeAnswer(reason, screen.cure(place.name, read.standing))
