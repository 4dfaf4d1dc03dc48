"""Gives a database what a dump does not hold: owner, ACL, comment, connection limit, settings. Reads no database.

https://www.postgresql.org/docs/current/sql-alterdatabase.html
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.migrations.manifest import DatabaseSettings, Setting
from app.migrations.quoting import literal, quoted

PRIVILEGES = {"C": "CREATE", "T": "TEMPORARY", "c": "CONNECT"}
LISTS = frozenset({
    "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
    "temp_tablespaces", "unix_socket_directories",
})  # fmt: skip
"""Parameters whose value is kept as a list of quoted names (GUC_LIST_QUOTE): each name is given back on its own."""

_ITEM = re.compile(r'(?P<grantee>"(?:[^"]|"")*"|[^"=]*)=(?P<rights>[A-Za-z*]*)/(?P<grantor>"(?:[^"]|"")*"|[^"]+)')
_NAME = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^",\s]+))\s*(?:,|$)')


class Grant(NamedTuple):
    """One aclitem: `grantee` is "" for PUBLIC; `rights` as in pg_database.datacl, a star after what may be passed on.

    https://www.postgresql.org/docs/current/ddl-priv.html
    """

    grantee: str
    rights: str
    grantor: str


def statements(database: str, wanted: DatabaseSettings) -> list[str]:
    """Return what makes a new database `database` like `wanted`, as SQL for one transaction on another database.

    Values that a manifest had to hide are left out. Fails without the rights of `wanted.owner`, and of a superuser
    where a role or a parameter asks for them.
    """
    name = quoted(database)
    made = [f"ALTER DATABASE {name} OWNER TO {quoted(wanted.owner)}"]
    if wanted.acl is not None:
        made += [f"REVOKE ALL ON DATABASE {name} FROM {who}" for who in ("PUBLIC", quoted(wanted.owner))]
        made += [line for grant in _in_order(wanted.acl, wanted.owner) for line in _granted(name, grant, wanted.owner)]
    if wanted.comment is not None:
        made.append(f"COMMENT ON DATABASE {name} IS {literal(wanted.comment)}")
    if wanted.connection_limit != -1:
        made.append(f"ALTER DATABASE {name} CONNECTION LIMIT {wanted.connection_limit}")
    made += [_set(name, setting) for setting in wanted.settings if not setting.hidden]
    made += [
        f"SECURITY LABEL FOR {quoted(one.provider)} ON DATABASE {name} IS {literal(one.label)}"
        for one in wanted.security_labels
    ]
    return made


def roles(wanted: DatabaseSettings) -> set[str]:
    """Return the roles that `statements` names."""
    found = {wanted.owner, *(setting.role for setting in wanted.settings if setting.role)}
    for grant in map(parse_grant, wanted.acl or ()):
        found |= {grant.grantee, grant.grantor}
    return found - {""}


def parse_grant(item: str) -> Grant:
    """Read the text of an aclitem. Raises ValueError for anything else."""
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(f"{item} is no aclitem")
    return Grant(_unquoted(match["grantee"]), match["rights"], _unquoted(match["grantor"]))


def _in_order(acl: Iterable[str], owner: str) -> list[Grant]:
    """Return the grants so that nobody passes on what they have not been given yet."""
    waiting = [parse_grant(item) for item in acl]
    done: list[Grant] = []
    holders = {owner}
    while waiting:
        ready = [grant for grant in waiting if grant.grantor in holders] or waiting
        done += ready
        holders |= {grant.grantee for grant in ready}
        waiting = [grant for grant in waiting if grant not in ready]
    return done


def _granted(name: str, grant: Grant, owner: str) -> list[str]:
    who = quoted(grant.grantee) if grant.grantee else "PUBLIC"
    lines = []
    for letter, star in re.findall(r"([A-Za-z])(\*?)", grant.rights):
        option = " WITH GRANT OPTION" if star else ""
        lines.append(f"GRANT {PRIVILEGES[letter]} ON DATABASE {name} TO {who}{option}")
    if lines and grant.grantor != owner:
        return [f"SET LOCAL ROLE {quoted(grant.grantor)}", *lines, "RESET ROLE"]
    return lines


def _set(name: str, setting: Setting) -> str:
    who = f"ALTER ROLE {quoted(setting.role)} IN DATABASE {name}" if setting.role else f"ALTER DATABASE {name}"
    values: Sequence[str] = [setting.value]
    if setting.name.lower() in LISTS:
        values = _names(setting.value)
    return f"{who} SET {quoted(setting.name)} TO {', '.join(map(literal, values))}"


def _names(value: str) -> list[str]:
    found = [
        match["plain"] if match["quoted"] is None else match["quoted"].replace('""', '"')
        for match in _NAME.finditer(value)
    ]
    return found or [value]


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
