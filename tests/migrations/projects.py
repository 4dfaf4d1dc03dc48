"""A small repository in a folder of its own: a history, an env.py and, where a test wants them, models."""

from pathlib import Path

from app.migrations import server, urls
from app.migrations.environments import Environment
from app.migrations.targets import Target

ROOT = Path(__file__).resolve().parents[2]
ENV = """
from alembic import context
from sqlalchemy import Column, Integer, MetaData, Table

metadata = {metadata}
{models}
handed = context.config.attributes["connection"]
context.configure(
    connection=handed, target_metadata=metadata, transaction_per_migration=True, compare_server_default=True
)
with context.begin_transaction():
    context.run_migrations()
"""
REVISION = '''"""the title of {id}"""

from alembic import op

revision = {id!r}
down_revision = {parents!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
{body}


def downgrade() -> None:
    pass
'''


class Project:
    """One repository; what scratch builds find is kept in the folder `remembered`, which several may share."""

    def __init__(self, folder: Path, models: str | None = None, remembered: Path | None = None) -> None:
        self.folder = folder
        self.versions = folder / "alembic/versions"
        self.versions.mkdir(parents=True)
        (folder / "alembic/env.py").write_text(
            ENV.format(metadata="None" if models is None else "MetaData()", models=models or "")
        )
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\npath_separator = os\n")
        if remembered is None:
            (folder / server.FOLDER).mkdir()
        else:
            (folder / server.FOLDER).symlink_to(remembered)
        (folder / "envs").mkdir()

    def revision(self, id_: str, *statements: str, parents: tuple[str, ...] | str | None = None) -> Path:
        """Write a revision that runs these statements."""
        lines = [f"    op.get_bind().exec_driver_sql({one.replace('%', '%%')!r})" for one in statements] or ["    pass"]
        path = self.versions / f"{id_}_x.py"
        path.write_text(REVISION.format(id=id_, parents=parents, body="\n".join(lines)))
        return path

    def target(self, url: str, scratch_admin: str | None, name: str = "dev") -> Target:
        """The database at `url` as that of an environment whose scratch databases are made there."""
        environment = Environment(name, url, scratch_url=scratch_admin or None)
        return Target(environment, url, urls.described(url))
