"""Draws the schema that the history builds, in a scratch database. Never connects to a target, never writes a file."""

from pathlib import Path

from app.migrations import expected, programs, schema_page, scratch
from app.migrations.build_inputs import Inputs
from app.migrations.environments import Environment
from app.migrations.errors import ConfigurationError
from app.migrations.targets import Target
from app.migrations.workshop import Say, Wanted, is_named

NOBODY = ""


def draw(root: Path, scratch_url: str = "", pg_bin: str = "", say: Say | None = None) -> str:
    """Return the page of the schema at all heads of the history at `root`.

    The history is run on the server of `scratch_url`, else on the private one, unless what it builds there is
    remembered; `say` hears of that. Raises ConfigurationError where it does not run or has a circle, and Unreachable.
    """
    inputs = Inputs(root)
    history = inputs.history
    if history.cycles:
        circle = " -> ".join(history.cycles[0])
        raise ConfigurationError(
            f"the revisions {circle} are each other's ancestors, so the history has no order", "inv db.check"
        )
    environment = Environment(NOBODY, NOBODY, scratch_url=scratch_url or scratch.EMBEDDED, pg_bin=pg_bin)
    target = Target(environment, NOBODY, "the picture of the schema")
    least = 0 if is_named(target) else programs.find_server_programs(pg_bin).major
    found = expected.find(Wanted(inputs, target, least, say=say), history.version_rows)
    folders = [
        str(folder.relative_to(root)) if folder.is_relative_to(root) else folder.name for folder in inputs.folders
    ]
    return schema_page.page(found.catalog, history, ", ".join(folders))
