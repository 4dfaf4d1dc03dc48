"""What can keep a command from reaching or changing a database. Decides on symptoms; reads nothing."""

from collections.abc import Iterator

from app.migrations import environment_checks, failures
from app.migrations.diagnosis import UNREACHABLE, Finding, Severity
from app.migrations.identity import Standing
from app.migrations.quoting import quoted
from app.migrations.symptoms import Blocking, Reach, Symptoms

NEEDED = "make sure that nobody needs it: its work is undone"
READ_ONLY = "default_transaction_read_only"


def unreachable(seen: Symptoms) -> Iterator[Finding]:
    """Find a database that does not answer, with the cause in a word or two."""
    if seen.silent is not None:
        known = failures.cause(seen.silent.message)
        details = (f"cause: {known.words}",) if known else ()
        yield Finding(UNREACHABLE, seen.silent.message, decide=seen.silent.hint, details=details)


def pooler(seen: Symptoms) -> Iterator[Finding]:
    """Find a pooler that shares sessions among clients."""
    if seen.pooled is not None:
        yield Finding("pooler", seen.pooled.message, decide=seen.pooled.hint)


def old_server(seen: Symptoms) -> Iterator[Finding]:
    """Find a server that is older than what these tools know."""
    oldest = environment_checks.OLDEST_SUPPORTED
    if seen.database and seen.database.server.version < oldest * 10000:
        version = seen.database.server.version
        cause = f"the server is PostgreSQL {version // 10000}.{version % 10000}; these tools need {oldest} or newer"
        yield Finding("old-server", cause, decide=f"upgrade the server to PostgreSQL {oldest} or newer (pg_upgrade)")


def read_only(seen: Symptoms) -> Iterator[Finding]:
    """Find a standby, and a database in which writing is switched off."""
    if seen.database is None:
        return
    server = seen.database.server
    if server.standby:
        cause = "the server is a standby, which takes no changes"
        yield Finding("standby", cause, decide="name the primary in DATABASE_URL, or promote this one (pg_promote())")
    elif server.read_only:
        database, role = f"DATABASE {quoted(server.database)}", f"ROLE {quoted(server.user)}"
        places = {"database": database, "user": role, "database user": f"{role} IN {database}"}
        where = {"client": "in DATABASE_URL"}.get(server.read_only, f"for the {server.read_only}")
        place = places.get(server.read_only)
        yield Finding(
            "read-only", f"{READ_ONLY} is on, set {where}: every change fails",
            seen.reach.sql(f"SET {READ_ONLY} = off", f"ALTER {place} RESET {READ_ONLY}") if place else "",
            "see who has switched writing off, and why" + ("" if place else f"; then set {READ_ONLY} = off there"),
        )  # fmt: skip


def wrong_identity(seen: Symptoms) -> Iterator[Finding]:
    """Find a database that is another environment's, a copy, or one that does not let its identity be read."""
    database = seen.database
    if database is None or database.verdict is None or database.verdict.allows_change:
        return
    verdict, name = database.verdict, seen.reach.environment
    cause = f"{verdict.reason}: every change is refused"
    if verdict.standing is Standing.COPY:
        decide = f"make sure that it is not a copy of {name} that is meant to be something else"
        yield Finding("wrong-identity", cause, seen.reach.inv("env.claim"), decide)
    elif verdict.standing is Standing.ANOTHERS_COPY:
        decide = f"make sure that DATABASE_URL of {name} is meant to name this copy"
        yield Finding("wrong-identity", cause, seen.reach.inv("env.claim"), decide)
    elif not database.identity_unreadable:  # missing_right says so
        yield Finding("wrong-identity", cause, decide=verdict.next)


def missing_right(seen: Symptoms) -> Iterator[Finding]:
    """Find rights that a migration needs and this role does not have."""
    for lack in seen.database.lacks if seen.database else ():
        command = seen.reach.sql(lack.statement, user=lack.by)
        yield Finding("missing-right", lack.words, command, f'this is for "{lack.by}" to grant')


def migration_at_work(seen: Symptoms) -> Iterator[Finding]:
    """Find another migration: running, or waiting and for whom."""
    migration = seen.database.migration if seen.database else None
    if migration is None:
        return
    holder = migration.holder
    if migration.blockers:
        for blocker in migration.blockers:
            yield _in_the_way(
                seen.reach, "migration-waiting", blocker,
                f"{holder.described} is migrating this database, and waits for {migration.waits_for}, held by",
            )  # fmt: skip
        return
    yield Finding(
        "migration-running", f"{holder.described} is migrating this database",
        decide="wait for its end, then inv db.doctor again; only if nobody is behind it any more: "
        + seen.reach.sql(holder.ending),
        details=tuple(f"it may wait for {one.described}" for one in migration.suspects), severity=Severity.NOTICE,
    )  # fmt: skip


def orphan(seen: Symptoms) -> Iterator[Finding]:
    """Find statements of a migration whose client is gone and which nobody holds the lock for."""
    for one in seen.database.orphans if seen.database else ():
        cause = f"a statement of a migration that was killed is still running: {one.described}"
        yield Finding("orphan", cause, seen.reach.sql(one.ending))


def prepared_transaction(seen: Symptoms) -> Iterator[Finding]:
    """Find prepared transactions that nobody has ended: they hold their locks for ever."""
    for one in seen.database.prepared if seen.database else ():
        yield _in_the_way(seen.reach, "prepared-transaction", one, "locks are held, also past a restart, by")


def locked_version(seen: Symptoms) -> Iterator[Finding]:
    """Find a version table that somebody has locked, so that it cannot be read."""
    for one in seen.database.locked_by if seen.database else ():
        yield _in_the_way(seen.reach, "locked-version", one, "alembic_version cannot be read, it is locked by")


def restore_leftover(seen: Symptoms) -> Iterator[Finding]:
    """Find databases that a killed restore has left half built."""
    names = seen.database.leftovers if seen.database else ()
    if names:
        cause = f"a restore that was killed has left half-built databases, which take room: {', '.join(names)}"
        yield Finding("restore-leftover", cause, seen.reach.inv("db.repair"), severity=Severity.WARNING)


def _in_the_way(reach: Reach, case: str, one: Blocking, cause: str) -> Finding:
    return Finding(case, f"{cause} {one.described}", reach.sql(one.ending), NEEDED)
