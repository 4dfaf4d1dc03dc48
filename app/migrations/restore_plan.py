"""Decides whether a backup may be restored, and says what that will do. Reads nothing, touches nothing."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from app.migrations import database_names, database_settings
from app.migrations.archives import Archive
from app.migrations.blockers import spoken
from app.migrations.errors import MigrationError, Refused
from app.migrations.identity import Verdict
from app.migrations.manifest import DatabaseSettings
from app.migrations.quoting import literal, quoted
from app.migrations.swap import Session
from app.migrations.targets import Target

NOTHING = "; nothing was changed"
SHOWN = 8


class Request(NamedTuple):
    """What was asked for: `into` is "" for the target itself; `tables` are as they were typed."""

    backup: str = "latest"
    into: str = ""
    terminate: bool = False
    schema_only: bool = False
    tables: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Return whether less than the whole backup is meant."""
        return self.schema_only or bool(self.tables)


class Server(NamedTuple):
    """What the server says of itself and of the role at work; `free` are bytes, None where they cannot be known."""

    version: int
    user: str
    superuser: bool
    createdb: bool
    roles: frozenset[str]
    extensions: frozenset[str]
    tablespaces: frozenset[str]
    icu: bool
    free: int | None


class Found(NamedTuple):
    """The database that is to be replaced, as it is now; `may_own` whether this role has the rights of its owner.

    `slots` are logical replication slots and `subscriptions` those in it; `size` in bytes is None where unknown.
    """

    oid: int
    settings: DatabaseSettings
    verdict: Verdict
    may_own: bool
    size: int | None
    sessions: tuple[Session, ...]
    prepared: tuple[str, ...]
    slots: tuple[str, ...]
    subscriptions: int


class Situation(NamedTuple):
    """All that the decision needs, of an intact backup; `found` is None where the database is lost, or left alone."""

    target: Target
    request: Request
    archive: Archive
    name: str
    taken: frozenset[str]
    server: Server
    found: Found | None

    @property
    def again(self) -> str:
        """Return the command that restores this backup beside the target."""
        return f"inv db.restore --env={self.target.environment.name} --backup={self.archive.name} --into=NEW_DATABASE"


def decide(situation: Situation) -> None:
    """Raise Refused unless the restore may begin. The first reason counts: names, identity, rights, room, sessions."""
    for refusal in (*_of_the_request(situation), *_of_the_server(situation), *_of_the_target(situation)):
        raise refusal


def refuse_damaged(archive: Archive, faults: Iterable[str]) -> None:
    """Raise Refused for a backup that is not as it was written."""
    named = list(faults)
    if named:
        raise Refused(
            f"the backup {archive.name} is damaged: {_listed(named, '; ')}{NOTHING}",
            f"inv db.backups --env={archive.folder.parent.name} --check, then --backup=NAME of an intact one",
        )


def _of_the_request(situation: Situation) -> Iterator[MigrationError]:
    request, target, manifest = situation.request, situation.target, situation.archive.readable()
    name, place = situation.name, situation.target.place
    if request.partial and not request.into:
        yield Refused(
            f"{place.described}: --schema-only and --table restore a part, which never replaces a database{NOTHING}",
            "the same command with --into=NEW_DATABASE",
        )
    if not database_names.fits(name):
        yield Refused(
            f'no database can be named "{name}": a name has 1 to {database_names.LONGEST} bytes{NOTHING}',
            situation.again,
        )
    if request.into and name in situation.taken:
        yield Refused(
            f'{place.described}: there is a database "{name}" already, and --into makes a new one{NOTHING}',
            situation.again,
        )
    if not request.into and manifest.environment != (target.environment.name or "url"):
        yield Refused(
            f"the backup {situation.archive.name} is one of {manifest.environment}, and the command works as "
            f"{target.environment.name or 'no environment'}{NOTHING}",
            f"--env={manifest.environment} if that is meant; {situation.again} restores it beside the target",
        )
    if situation.found and not situation.found.verdict.allows_change and not request.into:
        verdict = situation.found.verdict
        yield Refused(f"{place.described}: {verdict.reason}{NOTHING}", verdict.next)


def _of_the_server(situation: Situation) -> Iterator[MigrationError]:
    server, manifest, place = situation.server, situation.archive.readable(), situation.target.place
    if manifest.server_version_num // 10000 > server.version // 10000:
        yield Refused(
            f"{place.described} is PostgreSQL {server.version // 10000}, and the backup was made of "
            f"{manifest.server_version}: an older server does not understand it{NOTHING}",
            f"restore it on PostgreSQL {manifest.server_version_num // 10000} or newer",
        )
    if not (server.superuser or server.createdb):
        yield Refused(
            f"{place.described}: {server.user} may not create databases{NOTHING}",
            f"as a superuser: ALTER ROLE {quoted(server.user)} CREATEDB, or restore as one",
        )
    lacking = sorted(_needed_roles(situation) - server.roles)
    if lacking:
        made = "; ".join(f"CREATE ROLE {quoted(role)}" for role in lacking)
        yield Refused(
            f"{place.described}: the backup names roles that this server does not have: {_listed(lacking)}{NOTHING}",
            f"as a superuser: {made}",
        )
    extensions = sorted(set(manifest.extensions) - server.extensions)
    if extensions:
        yield Refused(
            f"{place.described}: the server lacks extensions of the backup: {_listed(extensions)}{NOTHING}",
            "install their packages on the server, then the same command",
        )
    if manifest.settings.locale_provider == "i" and not server.icu:
        yield Refused(
            f"{place.described}: the backup is of a database with ICU collation, and this server has no ICU{NOTHING}",
            "restore it on a server that was built with ICU",
        )
    yield from _of_the_room(situation)


def _needed_roles(situation: Situation) -> set[str]:
    needed = set(situation.archive.readable().roles)
    if situation.found is None and not situation.request.into:
        needed |= database_settings.roles(situation.archive.readable().settings)
    return needed


def _of_the_room(situation: Situation) -> Iterator[MigrationError]:
    free, needed = situation.server.free, room(situation)
    if free is not None and free < needed:
        yield Refused(
            f"{situation.target.place.described}: the server's disk has {mebibytes(free)} left, and the restored "
            f"database needs about {mebibytes(needed)} beside the one that is there{NOTHING}",
            "make room, or restore on another server",
        )


def _of_the_target(situation: Situation) -> Iterator[MigrationError]:
    found, place, server = situation.found, situation.target.place, situation.server
    if found is None or situation.request.into:
        return
    if not (server.superuser or found.may_own):
        yield Refused(
            f"{place.described} belongs to {found.settings.owner}, and {server.user} may not rename it{NOTHING}",
            f"restore as {found.settings.owner} or a superuser; without these rights: {situation.again}",
        )
    if found.prepared:
        yield Refused(
            f"{place.described}: prepared transactions are in the way: {_listed(found.prepared)}{NOTHING}",
            f"COMMIT PREPARED or ROLLBACK PREPARED {literal(found.prepared[0])}, connected to {situation.name}",
        )
    stay = [one.described for one in found.sessions if not (situation.request.terminate and one.can_be_ended)]
    if stay and situation.request.terminate:
        yield Refused(
            f"{place.described}: {server.user} may not end these sessions: {_listed(stay, '; ')}{NOTHING}",
            f"as a superuser: GRANT pg_signal_backend TO {quoted(server.user)}; superusers' sessions are theirs to end",
        )
    elif stay:
        yield Refused(
            f"{place.described} is in use: {_listed(stay, '; ')}{NOTHING}",
            "stop what uses it, or the same command with --terminate, which ends these sessions at the last moment",
        )


def described(situation: Situation, now: datetime) -> list[str]:
    """Return in lines what a restore will do; the first names the backup."""
    manifest, name, found = situation.archive.readable(), situation.name, situation.found
    rows = f"{sum(manifest.rows.values())} rows in {len(manifest.rows)} tables"
    age = spoken((now - situation.archive.started).total_seconds())
    proven, revision = "proven" if manifest.proven else "not proven", ", ".join(manifest.revisions) or "base"
    lines = [f"backup {situation.archive.name}: {age} old, {proven}, revision {revision}, {rows}"]
    if situation.request.into:
        part = " (a part of it)" if situation.request.partial else ""
        return [*lines, f'will restore it{part} into a new database "{name}"; "{manifest.database}" is left alone']
    if found is None:
        return [*lines, f'will restore it as "{name}", which is not there any more', *_notices(situation)]
    lines += [
        f'will put it in the place of "{name}", which is kept as "{database_names.kept(name, now)}"',
        f"will lose  from the active database what was written in the {age} since; it stays in the kept one",
    ]
    lines += [f"will end   {one.described}" for one in found.sessions]
    return [*lines, *_notices(situation)]


def _notices(situation: Situation) -> Iterator[str]:
    found = situation.found
    if situation.server.free is None:
        yield f"notice: the server needs about {mebibytes(room(situation))} of disk for it; what is free is not visible"
    if found is None:
        for setting in situation.archive.readable().settings.settings:
            if setting.hidden:
                yield f"notice: the setting {setting.name} was a secret and is not in the backup: set it by hand"
    elif found.slots:
        yield f"notice: the logical replication slots {_listed(found.slots)} stay with the kept database"
    if found is not None and found.subscriptions:
        yield f"notice: {found.subscriptions} subscriptions stay at work in the kept database"


def room(situation: Situation) -> int:
    """Return about how many bytes the restored database takes: as much as the old one, and no less than the dump."""
    size = situation.found.size if situation.found else None
    return max(size or 0, situation.archive.size)


def mebibytes(count: int) -> str:
    """Return a size for people."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _listed(names: Iterable[str], between: str = ", ") -> str:
    known = list(names)
    more = f"{between}and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return between.join(known[:SHOWN]) + more
