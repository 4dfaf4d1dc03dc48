"""Tasks that make backups and prove them."""

from invoke.context import Context

from scripts.tasks.command import ROOT, command


@command(help={"prove": "restore it into a scratch database and compare; exit 1 where anything differs"})
def backup(c: Context, env: str = "", prove: bool = False, json: bool = False) -> None:
    """Back up a database, and say exactly what is inside."""
    from app.migrations import archives, proof
    from app.migrations import backup as dumps
    from scripts.tasks import backup_screen, bars, reaching

    place = reaching.reach(env)
    place.identify()
    environment = place.target.environment
    if prove:
        proof.check_provable(ROOT, environment, place.engine)
    with bars.followed("backing up", quiet=json) as advance:
        made = dumps.make(ROOT, place.target, place.engine, advance)
    if not prove:
        backup_screen.made(made, json)
        return
    with bars.followed("proving the backup", quiet=json) as advance:
        found = proof.prove(ROOT, made, environment, advance)
    backup_screen.proved(archives.read(made.folder), json)
    proof.refuse_unless_equal(made, found)


@command(name="prove", help={"backup": "latest, a name of `db.backups` or how it begins, or the path of a folder"})
def prove_(c: Context, env: str = "", backup: str = "latest", json: bool = False) -> None:
    """Restore a backup into a scratch database and compare; exit 1 where anything differs."""
    from app.core.config import variables
    from app.migrations import archives, environments, proof
    from scripts.tasks import backup_screen, bars

    environment = environments.for_tasks(ROOT, env, variables(), need_url=False)
    home = archives.resolve_dir(ROOT, environment.backup_dir)
    archive = archives.find(home, environment.name, backup, refuted_too=True)
    with bars.followed("proving the backup", quiet=json) as advance:
        found = proof.prove(ROOT, archive, environment, advance)
    backup_screen.proved(archives.read(archive.folder), json)
    proof.refuse_unless_equal(archive, found)
