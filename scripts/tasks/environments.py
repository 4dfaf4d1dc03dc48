"""Tasks on the environments: list, show, check, claim."""

from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from app.migrations.claims import Claim
    from app.migrations.survey import Surveyor

OFFLINE = {"offline": "read the files only, ask no database"}


@command(name="list", help=OFFLINE)
def list_(c: Context, offline: bool = False, json: bool = False) -> None:
    """Show all environments side by side."""
    from app.migrations import environments, runner, survey
    from scripts.tasks import documents, environment_screen

    surveyor = _surveyor()
    if not offline:
        surveyor = surveyor._replace(script=runner.history(ROOT))
    rows = survey.at_once(environments.names(ROOT), surveyor.look, surveyor.late)
    if json:
        documents.show(environment_screen.list_document(rows))
    else:
        environment_screen.list_table(rows, offline)


@command(positional=["env"])
def show(c: Context, env: str, json: bool = False) -> None:
    """Show one environment, and where each value comes from."""
    from app.core.config import variables
    from app.migrations import environments
    from app.migrations.environment_sources import sources
    from scripts.tasks import documents, environment_screen

    process = variables()
    environment = environments.load(ROOT, env, process, need_url=False)
    values = sources(environment, *environments.entries(ROOT, env), process)
    if json:
        documents.show(environment_screen.show_document(environment, values))
    else:
        environment_screen.show_table(environment, values)


@command(help={**OFFLINE, "env": "one environment (default: all; an exported DATABASE_URL counts for one alone)"})
def check(c: Context, env: str = "", offline: bool = False, json: bool = False) -> None:
    """Find what is wrong with the environments."""
    from app.core.config import variables
    from app.migrations import checkup, environments
    from scripts.tasks import documents, environment_screen

    process = variables()
    if not env:
        process.pop("DATABASE_URL", None)
    elif env not in environments.names(ROOT):
        environments.entries(ROOT, env)
    names = [env] if env else environments.names(ROOT)
    reports = checkup.check(names, _surveyor()._replace(process=process), offline)
    if json:
        documents.show(environment_screen.check_document(reports))
    else:
        environment_screen.check_lines(reports)
    raise SystemExit(checkup.exit_code(reports))


@command(
    help={
        "recorded": "the name that the database has recorded, where there is no terminal to ask at",
        "yes": "do not ask, although the environment is protected",
    }
)
def claim(c: Context, env: str = "", recorded: str = "", yes: bool = False) -> None:
    """Say that this copy is now that environment."""
    from app.migrations import claims
    from app.migrations.claims import Kind
    from scripts.tasks import environment_screen, workplace
    from scripts.tasks.confirmation import confirm

    place = workplace.enter(env)
    claimed = claims.examine(place.engine, place.target, ROOT)
    environment_screen.claim_heading(claimed)
    if claimed.kind is Kind.OURS:
        return
    if claimed.kind is Kind.PHYSICAL or recorded:
        claims.check_recorded(claimed, recorded or _typed(claimed))
    if place.target.environment.protected:
        confirm(place.name, yes)
    claims.apply(claimed, place.engine, ROOT)
    environment_screen.claim_conclusion(claimed)


def _typed(claimed: "Claim") -> str:
    """Ask for the recorded name. Raises Refused where there is no terminal."""
    import sys

    from app.migrations.errors import Refused

    place, seen = claimed.target.place, claimed.seen.recorded
    if not sys.stdin.isatty():
        raise Refused(
            f"{place.described} may be {seen.environment if seen else ''} itself, and there is no terminal to ask at; "
            "nothing was changed",
            f"inv env.claim --env={place.environment} --recorded=NAME, NAME being the recorded one",
        )
    try:
        return input("Type the recorded name to go on: ").strip()
    except EOFError:
        return ""


def _surveyor() -> "Surveyor":
    from sqlalchemy.pool import NullPool

    from app.core.config import variables
    from app.core.engine import make_engine
    from app.migrations.survey import Surveyor

    return Surveyor(ROOT, variables(), lambda url: make_engine(url, NullPool))
