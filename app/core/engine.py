"""How the application connects. Opens no connection by itself, and knows no model: loading the ORM takes 0.1 s."""

import os
from typing import Any

from sqlalchemy import Engine, NullPool, Pool, create_engine, make_url

CONNECT_TIMEOUT = 10
"""Seconds to wait for an answer from a server; libpq's own default is to wait for ever."""

KEEPALIVE = 30
"""Seconds until an idle connection is probed: the one that holds the lock is idle while an index is built."""

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""The names of constraints, in models and in migrations alike, so that a downgrade can drop them by name."""


def make_engine(url: str, poolclass: type[Pool] | None = None) -> Engine:
    """Return an engine for a `postgresql+psycopg2://` URL; nothing connects until it is used.

    An unreachable server is given up after `CONNECT_TIMEOUT` seconds, unless the URL, the service it names
    or PGCONNECT_TIMEOUT say otherwise (PostgreSQL manual, "Connection Strings").
    """
    closes = poolclass is NullPool  # a rollback before that would only print a traceback where the connection is lost
    reset = None if closes else "rollback"
    return create_engine(url, poolclass=poolclass, pool_reset_on_return=reset, connect_args=_connect_args(url))


def _connect_args(url: str) -> dict[str, Any]:
    told = {"connect_timeout", "service"} & set(make_url(url).query)
    exported = os.environ.get("PGCONNECT_TIMEOUT") or os.environ.get("PGSERVICE")
    waiting = {} if told or exported else {"connect_timeout": CONNECT_TIMEOUT}
    return {"keepalives_idle": KEEPALIVE} | waiting
