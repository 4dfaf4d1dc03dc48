"""The roles of a server as objects of a catalog: they belong to the cluster, and outlive a scratch database.

A role that appeared while a step was at the roles is taken for the step's own; where that is not certain, only if the
revision's source names it: others may make roles on the same server at the same time.
https://www.postgresql.org/docs/current/user-manag.html
"""

import json
from collections.abc import Iterable, Mapping

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import raw, roles
from app.migrations.catalog_names import Key, Properties, plain

ROLES = """
SELECT coalesce(json_object_agg(quote_ident(r.rolname), json_build_object(
    'attributes', concat_ws(', ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
        CASE WHEN NOT rolinherit THEN 'NOINHERIT' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
        CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN rolconnlimit >= 0 THEN 'CONNECTION LIMIT ' || rolconnlimit END, 'VALID UNTIL ' || rolvaliduntil),
    'member of', (SELECT string_agg(DISTINCT quote_ident(g.rolname), ', ' ORDER BY quote_ident(g.rolname))
        FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid),
    'settings', array_to_string(rolconfig, ', '))), '{}')::text
FROM pg_roles r WHERE rolname !~ '^pg_'
"""


def read(connection: RawConnection) -> dict[Key, Properties]:
    """Return the roles of the cluster, without passwords."""
    found: dict[str, dict[str, str | None]] = json.loads(str(raw.value(connection, ROLES)))
    return {Key("role", name): {k: v for k, v in what.items() if v} for name, what in sorted(found.items())}


def likely(before: Mapping[Key, Properties], now: Mapping[Key, Properties], source: str) -> dict[Key, Properties]:
    """Return `now` less the changes of roles that the source does not name."""
    named = {key for key in before.keys() | now.keys() if plain(key.name) in source}
    kept = {key: properties for key, properties in before.items() if key not in named}
    return dict(sorted((kept | {key: now[key] for key in named if key in now}).items()))


def drop(connection: RawConnection, names: Iterable[Key]) -> list[str]:
    """Drop these roles, those first that others do not depend on; return what could not be. In autocommit."""
    left = [plain(key.name) for key in names]
    while left:
        kept = roles.drop(connection, left)
        if len(kept) == len(left):
            break
        left = kept
    return left
