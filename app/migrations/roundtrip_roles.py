"""The roles of a server as objects of a catalog: they belong to the cluster, and outlive a scratch database.

A role that appeared while a step was at the roles is taken for the step's own; where that is not certain, only if the
revision's source names it: others may make roles on the same server at the same time.

What was made is signed, by a comment that names a lock which the run holds: after kill -9 the next run drops it.
https://www.postgresql.org/docs/current/user-manag.html
"""

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress

import psycopg2
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import prepared, raw, roles
from app.migrations.catalog_names import Key, Properties, plain
from app.migrations.quoting import literal

MAKES_A_ROLE = re.compile(r"\bcreate\s+(?:role|user|group)\b", re.IGNORECASE)
SIGNED = "massacorp: made by a revision in the roundtrip "
ALL_SIGNED = """
SELECT description, quote_ident(rolname) FROM pg_roles r
JOIN pg_shdescription ON objoid = r.oid AND classoid = 'pg_authid'::regclass WHERE starts_with(description, $1)
"""
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


class Signature:
    """What one run signs the roles with that its revisions made; `connect` gives a session where all share locks."""

    def __init__(self, connect: Callable[[], RawConnection]) -> None:
        self.text = SIGNED + secrets.token_hex(8)
        self._connect = connect
        self._session: RawConnection | None = None

    def put(self, names: Collection[Key]) -> None:
        """Sign these roles, as far as they are still there and ours to sign."""
        if not names:
            return
        if self._session is None:
            self._session = self._connect()
            raw.try_lock(self._session, self.text)
        for key in names:
            with suppress(psycopg2.ProgrammingError):
                raw.execute(self._session, f"COMMENT ON ROLE {key.name} IS {literal(self.text)}")

    def close(self) -> None:
        """End the session; what is signed and still there is nobody's from then on."""
        if self._session is not None:
            self._session.close()


def sweep(connection: RawConnection) -> bool:
    """Drop the roles that killed runs left, and tell whether there were any. In autocommit, where all share locks."""
    signed: dict[str, list[Key]] = {}
    for text, name in prepared.rows(connection, ALL_SIGNED, "text", SIGNED):
        signed.setdefault(str(text), []).append(Key("role", str(name)))
    for text, names in signed.items():
        if raw.try_lock(connection, text):
            drop(connection, names)
            raw.execute(connection, "SELECT pg_advisory_unlock(%s)", raw.lock_key(text))
    return bool(signed)
