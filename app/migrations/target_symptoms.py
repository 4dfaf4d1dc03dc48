"""Reads for the doctor what a server says of itself, the version tables of a database, and which rights are lacking.

Changes nothing, and asks for no right that every role does not have.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from app.migrations import journal, survey
from app.migrations.quoting import quoted
from app.migrations.symptoms import Lack, Server, VersionTable

SERVER = text("""
SELECT current_setting('server_version_num')::int, current_user::text, current_database()::text, pg_is_in_recovery(),
       coalesce((SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'), ''),
       current_setting('search_path'), (SELECT source FROM pg_settings WHERE name = 'search_path'),
       quote_ident(current_schema())
""")
VERSION_TABLES = text("""
SELECT quote_ident(n.nspname), c.oid = to_regclass('alembic_version'), n.nspname = ANY (current_schemas(false)),
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       (SELECT count(*) FROM pg_class other WHERE other.relnamespace = n.oid AND other.relkind IN ('r', 'p', 'v', 'm')
        AND other.relname NOT LIKE 'alembic\\_%')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'alembic_version' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' ORDER BY 2 DESC NULLS LAST, 1
""")
FILLED = text("""
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relname <> ALL (:ours) AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
""")
OWNERS = text("""
SELECT c.relname, pg_get_userbyid(c.relowner),
       (SELECT string_agg(p, ', ') FROM unnest(CASE c.relname WHEN 'alembic_version'
            THEN ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] ELSE ARRAY['SELECT', 'INSERT', 'UPDATE'] END) p
        WHERE NOT has_table_privilege(c.oid, p))
FROM pg_class c WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relname = ANY (:ours) ORDER BY 1
""")
GRANTORS = text("""
SELECT (SELECT pg_get_userbyid(CASE WHEN n.nspowner = 'pg_database_owner'::regrole THEN d.datdba ELSE n.nspowner END)
        FROM pg_namespace n, pg_database d
        WHERE n.oid = CAST(:schema AS regnamespace) AND d.datname = current_database()),
       (SELECT rolname::text FROM pg_roles WHERE oid = 10)
""")
OURS = ("alembic_version", journal.JOURNAL, journal.IDENTITY)


def server(connection: Connection) -> Server:
    """Read what the server says, on a connection in autocommit."""
    row = connection.execute(SERVER).one()
    version, user, database, standby, read_only, path, path_set_by, creates_in = row
    home = journal.home(connection)
    return Server(version, user, database, standby, read_only, path, path_set_by, creates_in, home)


def version_tables(connection: Connection) -> tuple[VersionTable, ...]:
    """Return every alembic_version of the database, the one that commands use first.

    Raises DBAPIError where somebody has locked one for longer than the session waits.
    """
    tables = []
    for schema, used, on_path, readable, company in connection.execute(VERSION_TABLES).all():
        rows = _rows(connection, schema) if readable else None
        tables.append(VersionTable(schema, rows, bool(used), on_path, company))
    return tuple(tables)


def _rows(connection: Connection, schema: str) -> tuple[str, ...]:
    found = connection.exec_driver_sql(f"SELECT version_num FROM {schema}.alembic_version ORDER BY 1")  # noqa: S608
    return tuple(str(row[0]) for row in found)


def filled(connection: Connection) -> tuple[str, ...]:
    """Return the tables and views on the search path that are neither ours nor an extension's."""
    return tuple(str(row[0]) for row in connection.execute(FILLED, {"ours": list(OURS)}))


def lacks(connection: Connection) -> tuple[Lack, ...]:
    """Return the rights that a migration needs and this role does not have: on schema, tables of ours, tables."""
    rights = survey.ask_rights(connection)
    if rights.schema is None:
        return ()
    owner, superuser = connection.execute(GRANTORS, {"schema": rights.schema}).one()
    user, found = quoted(rights.user), list[Lack]()
    missing = [right for right, has in (("USAGE", rights.may_use), ("CREATE", rights.may_create)) if not has]
    if missing:
        words = f'"{rights.user}" lacks {", ".join(missing)} on schema {rights.schema}: no migration can create a table'
        grant = f"GRANT {', '.join(missing)} ON SCHEMA {rights.schema} TO {user}"
        found.append(Lack(words, grant, str(owner)))
    for role in dict.fromkeys(role for name, role in rights.foreign if name not in OURS):
        tables = [name for name, its in rights.foreign if its == role and name not in OURS]
        words = f'{_some(tables)}: owned by "{role}", whose rights "{rights.user}" lacks: no migration can alter them'
        found.append(Lack(words, f"GRANT {quoted(role)} TO {user}", str(superuser)))
    for table, role, wanted in connection.execute(OWNERS, {"schema": rights.schema, "ours": list(OURS)}):
        if wanted:
            words = f'"{rights.user}" lacks {wanted} on {rights.schema}.{table}: {_means(table)}'
            found.append(Lack(words, f"GRANT {wanted} ON {rights.schema}.{table} TO {user}", str(role)))
    return tuple(found)


def _means(table: str) -> str:
    return "no revision can be recorded" if table == OURS[0] else "nothing records who changes it, and whose it is"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
