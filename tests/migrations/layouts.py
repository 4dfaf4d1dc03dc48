"""Alembic projects of other people's making, in folders of their own: their env.py, settings and revisions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from app.migrations.project import Project

INI = "[alembic]\nscript_location = alembic\nprepend_sys_path = .\npath_separator = os\n"
RUN = """
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
HANDED = f"""
from alembic import context

connection = context.config.attributes["connection"]
if True:
{RUN}
"""
FROM_CONFIG = f"""
from logging.config import fileConfig
from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)
connectable = engine_from_config(
    config.get_section(config.config_ini_section, {{}}), prefix="sqlalchemy.", poolclass=pool.NullPool
)
with connectable.connect() as connection:
{RUN}
"""
REVISION = '''"""the title of {id}"""
{imports}
import sqlalchemy as sa
from alembic import op

revision = {id!r}
down_revision = {parents!r}
branch_labels = {labels!r}
depends_on = {depends!r}


def upgrade():
    {up}


def downgrade():
    {down}
'''


class Layout:
    """A project in `folder`, whose files are written one by one."""

    def __init__(self, folder: Path, env: str = HANDED, ini: str = INI) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        if ini:
            self.write("alembic.ini", ini)
        if env:
            self.write("alembic/env.py", env)

    def write(self, path: str, text: str) -> Path:
        """Write one file, with its folders."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def revision(self, id_: str, parents: str | tuple[str, ...] | None = None, **parts: object) -> Path:
        """Write a revision: by default it creates the table `t_ID`, and drops it on the way down."""
        values = {
            "imports": "", "labels": None, "depends": None, "up": f'op.execute("CREATE TABLE t_{id_} (a int)")',
            "down": f'op.execute("DROP TABLE t_{id_}")', "folder": "alembic/versions", **parts,
        }  # fmt: skip
        return self.write(f"{values['folder']}/{id_}_x.py", REVISION.format(id=id_, parents=parents, **values))


def ask(url: str, statement: str) -> list[object]:
    """The first column of what a statement finds, over a connection of its own; it is committed."""
    with engine(url).begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [row[0] for row in result] if result.returns_rows else []


def engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool)


def tables(url: str) -> set[object]:
    """The tables of the migrations, in any schema."""
    return set(ask(url, "SELECT relname FROM pg_class WHERE relname ~ '^t_' AND relkind = 'r'"))


def upgrades(
    project: Project, seen: Callable[[MigrationContext], None] = lambda _: None
) -> Callable[[tuple[str, ...], MigrationContext], Iterator[MigrationStep]]:
    """All the steps to the heads; `seen` is called after each, when it is to be there."""

    def steps(heads: tuple[str, ...], context: MigrationContext) -> Iterator[MigrationStep]:
        for step in project.script._upgrade_revs("heads", cast("str", heads)):
            yield step
            seen(context)

    return steps


def upgrade(project: Project, url: str) -> list[list[str]]:
    """Run everything there; return what another session finds in the version table after each step."""
    found: list[list[str]] = []

    def look(context: MigrationContext) -> None:
        where = f"relname = '{context.version_table}' AND relkind = 'r'"
        name = ask(url, f"SELECT oid::regclass FROM pg_class WHERE {where}")[0]
        found.append(sorted(map(str, ask(url, f"SELECT version_num FROM {name}"))))

    with engine(url).connect() as connection:
        project.run(connection, upgrades(project, look))
    return found


def emptied(url: str) -> str:
    """The same database as if it were new."""
    for schema in ask(url, "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"):
        ask(url, f'DROP SCHEMA "{schema}" CASCADE')
    ask(url, "CREATE SCHEMA public")
    return url
