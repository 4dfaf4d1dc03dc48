"""What can be wrong with the revision that a database is at. Decides on symptoms; reads nothing."""

import shlex
from collections.abc import Iterator, Sequence

from app.migrations.diagnosis import Finding, Severity
from app.migrations.quoting import quoted
from app.migrations.symptoms import Database, Symptoms, Trace, VersionTable

MOST = 6
NEVER_STAMP = "do not stamp head: what {} has done would stay, and nothing would say so any more"


def version_elsewhere(seen: Symptoms) -> Iterator[Finding]:
    """Find a version table that the commands do not find, or that stands where no new table will go."""
    database = seen.database
    if database is None:
        return
    used, others = database.version, [table for table in database.tables if not table.used]
    if used is None and others:
        yield _not_on_path(seen, database, others)
    elif used is not None:
        yield from (_shadowed(seen, used, other) for other in others if other.on_path)
        yield from _tables_elsewhere(seen, database, used)


def no_schema(seen: Symptoms) -> Iterator[Finding]:
    """Find a search_path that names no schema: nothing can be created."""
    database = seen.database
    if database and database.server.home is None and not database.tables:
        named = [name.strip().strip('"') for name in database.server.search_path.split(",")]
        name = next((each for each in named if each and each != "$user"), "public")
        cause = f"search_path ({database.server.search_path}) names no schema that exists: nothing can be created"
        yield Finding("no-schema", cause, seen.reach.sql(f"CREATE SCHEMA {quoted(name)}"))


def unknown_revision(seen: Symptoms) -> Iterator[Finding]:
    """Find rows of the version table that the code does not have: who applied them, and how to get the file."""
    database = seen.database
    if database is None:
        return
    for row in (row for row in database.rows if row not in seen.code.history):
        trace, found = database.traces.get(row), seen.code.in_git.get(row)
        cause = f"the database is at revision {row}, which this checkout does not have"
        details = [_told(trace) if trace else "the journal does not say who applied it", NEVER_STAMP.format(row)]
        undo = f"to undo it after that: {seen.reach.inv('db.downgrade')}"
        if found:
            details[1:1] = [f"commit {found.commit[:12]} has its file: {found.path}", undo]
            command = f"git restore --source={found.commit[:12]} -- {shlex.quote(found.path)}"
            decide = "git pull or git checkout, where that brings the whole branch; this brings the one file"
            yield Finding("unknown-revision", cause, command, decide, tuple(details))
        elif trace and trace.has_source:
            details[1:1] = ["git has no file of it, and the journal holds the source that was applied", undo]
            command = seen.reach.inv("db.repair", f"--restore-file={row}")
            yield Finding("unknown-revision", cause, command, details=tuple(details))
        else:
            details[1:1] = ["neither git nor the journal has its file"]
            detect = seen.reach.inv("db.stamp", "--detect")
            decide = (
                f"git fetch --all, then inv db.doctor again; else find who has it; {detect} says which revision of this"
                " checkout the schema equals, if any"
            )
            yield Finding("unknown-revision", cause, decide=decide, details=tuple(details))


def several_rows(seen: Symptoms) -> Iterator[Finding]:
    """Find several rows in the version table: of one line, which is wrong, or of branches that want joining."""
    rows, history = seen.database.rows if seen.database else (), seen.code.history
    if len(rows) < 2 or not seen.code.is_whole or any(row not in history for row in rows):
        return
    listed = f"alembic_version holds {len(rows)} rows: {', '.join(rows)}"
    below = {row for row in rows if any(row in history.ancestors([other]) for other in rows if other != row)}
    if below:
        kept = [row for row in rows if row not in below]
        lower = ", ".join(sorted(below))
        cause = f"{listed}, and {lower} lies below {', '.join(kept)}: a branch has one row"
        schema = seen.database.version.schema if seen.database and seen.database.version else "public"
        listed = ", ".join("'" + row.replace("'", "''") + "'" for row in sorted(below))
        command = seen.reach.sql(f"DELETE FROM {schema}.alembic_version WHERE version_num IN ({listed})")  # noqa: S608
        yield Finding(
            "several-rows", cause, command, f"make sure that the schema is at {', '.join(kept)}: no drift below"
        )
    else:
        upgrade = seen.reach.inv("db.upgrade")
        command = upgrade if len(history.heads) == 1 else f"inv db.merge && {upgrade}"
        cause = f"{listed}: branches that were applied one beside the other"
        yield Finding("several-rows", cause, command, severity=Severity.NOTICE)


def half_applied(seen: Symptoms) -> Iterator[Finding]:
    """Find revisions that committed some of their work and never ended."""
    database = seen.database
    if database is None or database.in_doubt:
        return
    for trace in database.begun:
        yield Finding(
            "half-applied", f"revision {trace.revision} was begun and never ended: some of it may be committed",
            seen.reach.inv("db.repair", f"--close={trace.revision}"),
            "look at what it has done and finish or undo that by hand; the command says what differs, and closes it"
            " only when the schema is as before it or after it",
            (_told(trace), *([f"it said: {trace.left}"] if trace.left else [])),
        )  # fmt: skip


def no_version(seen: Symptoms) -> Iterator[Finding]:
    """Find a database without a revision: an empty one is to be upgraded, a filled one adopted."""
    database = seen.database
    if database is None or database.verdict is None or database.rows or database.in_doubt:
        return
    if database.version is None and database.tables:
        return  # version_elsewhere says so
    if database.version is not None and database.version.rows is None:
        return  # missing_right says so
    if any(table.rows and table.on_path for table in database.tables):
        return  # version_elsewhere says so
    if database.filled:
        shown = ", ".join(database.filled[:MOST]) + (" ..." if database.filled[MOST:] else "")
        cause = f"the database has tables ({shown}) and no revision: an upgrade would begin anew and fail"
        yield Finding("unversioned", cause, seen.reach.inv("db.adopt"))
    elif not database.server.standby and database.server.home is not None:
        count = _counted(len(seen.code.history)) if seen.code.is_whole else "its revisions"
        yield Finding(
            "empty", f"the database is empty: {count} to apply", seen.reach.inv("db.upgrade"), severity=Severity.NOTICE
        )


def behind(seen: Symptoms) -> Iterator[Finding]:
    """Find revisions that are not applied yet."""
    database, history = seen.database, seen.code.history
    if database is None or not database.rows or not seen.code.is_whole or len(database.rows) > 1:
        return
    if any(row not in history for row in database.rows):
        return
    pending = history.pending(database.rows)
    if pending:
        cause = f"{_counted(len(pending))} of the code not applied: {', '.join(pending[:MOST])}" + (
            " ..." if pending[MOST:] else ""
        )
        yield Finding("behind", cause, seen.reach.inv("db.upgrade"), severity=Severity.NOTICE)


def _not_on_path(seen: Symptoms, database: Database, others: Sequence[VersionTable]) -> Finding:
    server = database.server
    where = ", ".join(f"{table.schema} ({_rows(table)})" for table in others)
    cause = f"alembic_version stands in {where}, not on the search_path ({server.search_path}): no command sees it"
    if len(others) > 1:
        return Finding("version-elsewhere", cause, decide="say which schema is meant: ?options=-csearch_path=SCHEMA")
    return Finding("version-elsewhere", cause, *_set_path(seen, database, others[0].schema))


def _shadowed(seen: Symptoms, used: VersionTable, other: VersionTable) -> Finding:
    cause = (
        f"there are two alembic_version on the search_path: commands use {used.schema} ({_rows(used)}),"
        f" and {other.schema} ({_rows(other)}) would be used by a session with another search_path"
    )
    empty = next((table for table in (other, used) if table.rows == ()), None)
    if empty is None:
        decide = "see which of them tells the truth (inv db.verify), and drop the other"
        return Finding("version-elsewhere", cause, decide=decide)
    return Finding("version-elsewhere", cause, seen.reach.sql(f"DROP TABLE {empty.schema}.alembic_version"))


def _tables_elsewhere(seen: Symptoms, database: Database, used: VersionTable) -> Iterator[Finding]:
    """The version table has its tables beside it, and what the next migration creates would go somewhere else."""
    server = database.server
    if server.creates_in in {None, used.schema} or not used.company:
        return
    if any(name.startswith(f"{server.creates_in}.") for name in database.filled):
        return  # a schema that is in use: then the version table alone stands elsewhere, which is a way to do it
    cause = (
        f"alembic_version and its tables stand in {used.schema}, and the search_path ({server.search_path}) has new"
        f" tables created in {server.creates_in}"
    )
    yield Finding("version-elsewhere", cause, *_set_path(seen, database, used.schema), severity=Severity.WARNING)


def _set_path(seen: Symptoms, database: Database, schema: str) -> tuple[str, str]:
    """Return the command and the decision that put `schema` first."""
    server = database.server
    if server.path_set_by == "client":
        return "", f"correct search_path in the options of DATABASE_URL: {schema} first"
    role, name = quoted(server.user), quoted(server.database)
    statement = f"ALTER ROLE {role} IN DATABASE {name} SET search_path = {schema}"
    return seen.reach.sql(statement), f"make sure that {schema} is the schema that the application uses"


def _told(trace: Trace) -> str:
    code = f"commit {trace.commit[:12]}" if trace.commit else "an unknown commit"
    changed = ", with changes that were not committed" if trace.changed else ""
    return f"{trace.action} of {trace.revision} at {trace.at} by {trace.who}, from {code}{changed}"


def _rows(table: VersionTable) -> str:
    return "not readable" if table.rows is None else ", ".join(table.rows) or "no row"


def _counted(count: int) -> str:
    return f"{count} {'revision' if count == 1 else 'revisions'}"
