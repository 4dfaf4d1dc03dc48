"""Scratch databases in which the history is run as a target would run it. Never writes to the target.

No row of the target leaves it: the history alone fills them, so even a protected environment, which names no server
for scratch databases, has the private one used.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.migrations import inspection, programs, roles, runner, scratch
from app.migrations.build_inputs import Inputs
from app.migrations.catalog import Catalog
from app.migrations.errors import ConfigurationError, MigrationError
from app.migrations.failures import Place, explained
from app.migrations.targets import Target

NEWEST = 60
"""No PostgreSQL is looked for beyond this major version."""
AROUND = text("""
SELECT current_setting('search_path'), quote_ident(current_user),
       coalesce((SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('alembic_version')),
                quote_ident(current_schema())),
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1)
""")

VERSIONS = text("SELECT name, default_version FROM pg_available_extensions WHERE default_version IS NOT NULL")
"""The versions that CREATE EXTENSION takes."""

THERE = "a scratch database"
Say = Callable[[str], None]
"""Hears, in a sentence, of what takes longer than a moment."""


class Surroundings(NamedTuple):
    """What a target has around its schema that decides how the history is built: `home` is the version table's schema.

    `search_path` is "" for PostgreSQL's own, with everything in `public`; `roles` are those that the history may name.
    """

    home: str = "public"
    search_path: str = ""
    roles: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """What the catalog of a revision depends on, beside the revision; `say` hears that a scratch database is made."""

    inputs: Inputs
    target: Target
    server_major: int
    around: Surroundings = Surroundings()
    say: Say | None = None


def surroundings(connection: Connection) -> Surroundings:
    """Ask a target, in a statement of the connection's own transaction; locks nothing."""
    path, user, home, known = connection.execute(AROUND).one()
    if home == "public" and path in {'"$user", public', "public"}:
        path = ""
    return Surroundings(str(home or "public"), str(path).replace('"$user"', user), tuple(map(str, known)))


class Workshop(NamedTuple):
    """A scratch server, what it is in words, and how the history is to be run there."""

    root: Path
    admin_url: str
    major: int
    described: str
    around: Surroundings
    environment: str
    script: ScriptDirectory


@contextmanager
def workshop(wanted: Wanted) -> Iterator[Workshop]:
    """Find the scratch server, start it when it is the private one, and have there the roles that the history names.

    Raises ConfigurationError or Unreachable.
    """
    root, target, around = wanted.inputs.root, wanted.target, wanted.around
    script = runner.history(root)
    url, described = _server(root, target, wanted.server_major)
    with closing(scratch.connect(url)) as connection:
        major = connection.server_version // 10000
    if major < wanted.server_major:
        raise ConfigurationError(
            f"the server of SCRATCH_URL is PostgreSQL {major}, older than the {wanted.server_major} of"
            f" {target.described}",
            f"SCRATCH_URL={scratch.EMBEDDED} and the same command again",
        )
    sources = wanted.inputs.sources.values()
    named = [name for name in around.roles if any(name.encode() in source for source in sources)]
    with roles.standing_in(partial(scratch.connect, url), named):
        name = target.environment.name
        yield Workshop(root, url, major, f"{described} (PostgreSQL {major})", around, name, script)


def _server(root: Path, target: Target, least: int) -> tuple[str, str]:
    """Return the URL of the scratch server and what it is, in words."""
    if is_named(target):
        return scratch.admin_url(root, target.environment.scratch_url or ""), "the server of SCRATCH_URL"
    pg_bin = target.environment.pg_bin
    major = available(target, least) or programs.find_server_programs(pg_bin, least).major
    return scratch.admin_url(root, scratch.EMBEDDED, pg_bin, major), "the private server"


@contextmanager
def empty(built: Workshop, template: str | None = None) -> Iterator[str]:
    """Yield the URL of a scratch database with the target's search path: empty, or a copy of `template`."""
    with scratch.database(built.admin_url, template) as url:
        yield prepared(built.around, url, is_new=template is None)


def prepared(around: Surroundings, url: str, is_new: bool) -> str:
    """Give a new database the target's home; return its URL with the target's search path."""
    if is_new and around.home != "public":
        with create_engine(url, poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {around.home}".replace("%", "%%"))
    path = around.search_path
    options = {"options": re.sub(r"([\\ ])", r"\\\1", f"-csearch_path={path}")} if path else {}
    return make_url(url).update_query_dict(options).render_as_string(hide_password=False)


def upgrade(built: Workshop, url: str, to: str) -> None:
    """Run the history in a scratch database, on a bare connection: without lock, journal and identity.

    Raises ConfigurationError where it does not run there.
    """
    engine = create_engine(url, poolclass=NullPool)
    script = built.script
    with engine.connect() as connection:
        settings = runner.config(built.root, connection=connection)
        steps = EnvironmentContext(settings, script, fn=lambda at, _: script._upgrade_revs(to, at), destination_rev=to)
        try:
            with explained(Place(THERE, built.environment or None)), steps:
                script.run_env()
        except MigrationError as error:
            raise _does_not_run(built, error) from error


def read(url: str) -> Catalog:
    """Read the catalog of a scratch database over a connection of its own."""
    return read_with_extensions(url)[0]


def read_with_extensions(url: str) -> tuple[Catalog, dict[str, str]]:
    """Read the catalog, and the versions that CREATE EXTENSION takes there."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        catalog = inspection.read(connection)
        return catalog, {str(name): str(version) for name, version in connection.execute(VERSIONS)}


def _does_not_run(built: Workshop, error: MigrationError) -> ConfigurationError:
    said = error.message.removeprefix(f"{THERE}: ").partition("; the revisions before it stay")[0]
    return ConfigurationError(
        f"the history does not run on {built.described}, so that nothing can be compared: {said}",
        "correct the revision, or where that server lacks something (an extension, a role): SCRATCH_URL=URL of one that"
        " has it, or PG_BIN=FOLDER of server programs that have it, and the same command again",
    )


def is_named(target: Target) -> bool:
    """Return whether SCRATCH_URL names a server; else the private one is used, also where none may be named."""
    return target.environment.scratch_url not in (None, scratch.EMBEDDED)


def available(target: Target, least: int) -> int | None:
    """Return the lowest major of the private server's programs that is not below `least`."""
    for major in range(least, NEWEST):
        with suppress(ConfigurationError):
            return programs.find_server_programs(target.environment.pg_bin, major).major
    return None
