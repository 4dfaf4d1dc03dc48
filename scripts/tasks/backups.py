"""Tasks about backups: what there is, and which of it goes."""

from invoke.context import Context

from app.migrations.errors import NegativeAnswer
from scripts.tasks.command import ROOT, command


@command(help={"check": "read every byte; exit 1 unless all are intact"})
def backups(c: Context, env: str = "", check: bool = False, json: bool = False) -> None:
    """Show the backups there are: age, revision, size, proven or not, intact or not."""
    from app.core.config import variables
    from app.migrations import archives, environments
    from scripts.tasks import backup_screen, documents

    environment = environments.for_tasks(ROOT, env, variables(), need_url=False)
    home = archives.resolve_dir(ROOT, environment.backup_dir)
    found = archives.listed(home, environment.name)
    faults = backup_screen.check_all(found, quiet=json) if check else None
    if json:
        documents.show(backup_screen.backups_document(environment.name, home / environment.name, found, faults))
    else:
        backup_screen.backups(environment.name, home / environment.name, found, faults)
    if faults is not None and (damaged := [name for name, what in faults.items() if what]):
        raise NegativeAnswer(
            f"of {len(found)} backups of {environment.name}, {len(damaged)} cannot be relied on: {', '.join(damaged)}",
            f"inv db.backup --env={environment.name} --prove",
        )


@command(help={"yes": "delete also what is younger than a day"})
def prune(c: Context, env: str = "", yes: bool = False, json: bool = False) -> None:
    """Delete old backups; the BACKUP_KEEP newest intact ones and the last proven one stay."""
    from datetime import UTC, datetime

    from app.core.config import variables
    from app.migrations import archives, environments, pruning
    from app.migrations.retention import Policy
    from scripts.tasks import backup_screen, documents

    environment = environments.for_tasks(ROOT, env, variables(), need_url=False)
    home = archives.resolve_dir(ROOT, environment.backup_dir)
    found = archives.listed(home, environment.name)
    dead = [folder.name for folder in archives.dead(home, environment.name)]
    policy = Policy(environment.backup_keep, datetime.now(UTC), yes)
    judgement = backup_screen.judge(found, dead, policy, quiet=json)
    backup_screen.verdicts(environment.name, home / environment.name, judgement.verdicts, quiet=json)
    reached = pruning.apply(home, environment.name, judgement)
    backup_screen.kept_after_all(judgement.verdicts, reached)
    if json:
        documents.show(backup_screen.prune_document(environment.name, home / environment.name, reached))
