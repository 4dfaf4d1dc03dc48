"""The task db.rehearse: the pending revisions on the last backup, for real."""

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.migrations.environments import Environment


@command(
    help={
        "backup": "latest, a name of `db.backups` or how it begins, or the path of a folder",
        "to": "head, or a revision",
    }
)
def rehearse(c: Context, env: str = "", backup: str = "latest", to: str = "head", json: bool = False) -> None:
    """Run the pending revisions on the last backup, up, down and up again: how long it takes, and what is lost."""
    from app.core.config import variables
    from app.migrations import archives, environments, rehearsal
    from app.migrations.project import open_project
    from scripts.tasks import bars, documents, rehearsal_screen, verifying

    environment = environments.for_tasks(ROOT, env, variables(), need_url=False)
    home = archives.resolve_dir(ROOT, environment.backup_dir)
    archive = archives.find(home, environment.name, backup)
    settings = _settings(environment)
    with open_project(ROOT) as project, bars.followed("restoring the backup", quiet=json) as advance:
        found = rehearsal.rehearse(project, archive, environment, to, settings, verifying.tell, advance)
    if json:
        documents.show(rehearsal_screen.document(environment.name, found))
    else:
        rehearsal_screen.report(environment.name, found)
    if found.forecast.fails or (found.back is not None and not found.back.clean):
        raise SystemExit(1)


def _settings(environment: "Environment") -> "Mapping[str, str] | None":
    """Read the target's settings; where it cannot be reached say so: the times are then those of other settings."""
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    from app.core.engine import make_engine
    from app.migrations import rehearsal, survey

    target = survey.running_target(ROOT, environment) if environment.database_url else None
    if target is not None:
        try:
            return rehearsal.settings_of(make_engine(survey.impatient(target.url), NullPool))
        except SQLAlchemyError:
            pass
    print(
        f"{environment.name} cannot be reached: its memory and parallel settings are not known, and the times are those"
        " of PostgreSQL's defaults",
        file=sys.stderr,
    )
    return None
