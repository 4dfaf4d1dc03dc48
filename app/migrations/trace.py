"""What an upgrade really does: its revisions run in a scratch database, and every statement is looked at. No policy.

`capture` makes the scratch database, `run` traces on a database that is there, such as a restored backup. Neither ever
touches a target.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import alembic
import sqlalchemy
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from app.migrations import sample, scratch, workshop
from app.migrations.build_inputs import Inputs
from app.migrations.errors import ConfigurationError, MigrationError
from app.migrations.project import Project, open_project
from app.migrations.trace_run import Observer, run, steps_to
from app.migrations.trace_values import DOCUMENTED, MEASURED, MODES, Lock, Statement, Step, Trace, strength, strongest
from app.migrations.workshop import Surroundings

__all__ = [
    "DOCUMENTED", "MEASURED", "MODES", "Lock", "Observer", "Statement", "Step", "Trace", "capture", "run", "strength",
    "strongest",
]  # fmt: skip

HERE = Surroundings()
LONGEST_WAIT = "60s"
"""For a lock: nobody else uses a scratch database, so that who waits there waits for a connection of its own."""


def capture(  # noqa: PLR0913 -- what a scratch database is made of
    source: Path | Project,
    admin_url: str,
    start: Sequence[str],
    to: str = "head",
    rows: int = 20,
    *,
    around: Surroundings = HERE,
) -> Trace:
    """Return what an upgrade from exactly the revisions `start` to `to` does, in a scratch database on `admin_url`.

    The tables hold about `rows` rows each, those of one revision before the next one runs. From a revision on that
    does not run with them, the upgrade is traced without rows: then its step has no rows, and tells why. The database
    at `start` is kept as a template, for as long as nothing that decides about it changes. `around` is as the target
    has it; roles that the history names must be there. Raises ConfigurationError where the history does not run up to
    `start` or `to` is no revision, and Unreachable.
    """
    if isinstance(source, Path):
        with open_project(source) as project:
            return capture(project, admin_url, start, to, rows, around=around)
    site = _Site(source, admin_url, tuple(start), around)
    found = site.trace(to, rows)
    failed = next((at for at, step in enumerate(found.steps) if step.error and step.rows), None)
    if failed is None:
        return found
    again = site.trace(to, 0)
    if again.steps[failed].error:
        return found
    steps = list(again.steps)
    steps[failed] = steps[failed]._replace(
        with_rows=found.steps[failed].error or "", with_rows_line=found.steps[failed].error_line
    )
    return again._replace(steps=(*found.steps[:failed], *steps[failed:]))


def _impatient(url: str) -> str:
    parsed = make_url(url)
    options = f"{parsed.query.get('options', '')} -clock_timeout={LONGEST_WAIT}".strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)


class _Filler(Observer):
    """Fills the tables before each revision."""

    def __init__(self, root: Path, url: str, rows: int) -> None:
        self.engine = create_engine(url, poolclass=NullPool)
        self.sampler = sample.Sampler(rows, root=root)

    def before(self, revision: str, title: str) -> bool:  # noqa: ARG002
        if self.sampler.rows:
            with self.engine.connect() as connection:
                self.sampler.fill(connection)
        return self.sampler.rows > 0


class _Site(NamedTuple):
    """Where scratch databases of a project are made, and at which revisions."""

    project: Project
    admin_url: str
    start: tuple[str, ...]
    around: Surroundings

    def trace(self, to: str, rows: int) -> Trace:
        """Trace an upgrade in a database of its own, with rows in its tables."""
        key = self._key(rows)
        template = None if key is None else scratch.template(self.admin_url, key, lambda url: self._build(url, rows))
        with scratch.database(self.admin_url, template) as made:
            if template is None:
                self._build(made, rows)
            url = _impatient(workshop.prepared(self.around, made, is_new=False))
            return run(self.project, url, to, _Filler(self.project.root, url, rows))

    def _key(self, rows: int) -> str | None:
        """Return what decides about the database: for its rows the sampler's code, and the project's own rows.

        None for a project whose files cannot all be told from its settings.
        """
        project, around = self.project, self.around
        places = [*Path(sample.__file__).parent.glob("sample*.py"), *(project.root / "tests/data").glob("*")]
        filled = [path.read_bytes() for path in sorted(places) if path.is_file()] if rows else []
        how = f"{project.section} {project.plain_env} {project.stubbed}"
        versions = (alembic.__version__, sqlalchemy.__version__, sha256(b"\0".join(filled)).hexdigest())
        with suppress(MigrationError):
            inputs = Inputs(project.root)
            if inputs.history.revisions == project.history.revisions:
                return inputs.key(self.start, "trace", how, *versions, around.home, around.search_path, str(rows))
        return None

    def _build(self, empty: str, rows: int) -> None:
        """Bring an empty database to these revisions, untraced, and fill it."""
        url = workshop.prepared(self.around, empty, is_new=True)
        engine = create_engine(url, poolclass=NullPool)
        for revision in self.start:
            try:
                with engine.connect() as connection:
                    self.project.run(connection, partial(steps_to, self.project, revision))
            except (Exception, SystemExit) as error:
                said, hint = self.project.explain(error)
                raise ConfigurationError(
                    f"the history does not run up to {revision}, where the target is, in a scratch database: {said}",
                    hint,
                ) from error
        _Filler(self.project.root, url, rows).before("", "")
