"""Six ways to kill upgrades that wait at a statement: the process, its server process, the server, the network.

A way kills on several databases at once, so that a server dies once for all of them.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from alembic.script import ScriptDirectory

from app.migrations import postmaster, server
from app.migrations.startup import Server
from tests.halts import Halts, Stopped
from tests.migrations.chains import ask, until
from tests.proxy import Proxy
from tests.stands import Schema
from tests.warm import Warm


class Slot(NamedTuple):
    """A database, a proxy in front of it, and where the command that upgrades it stops."""

    url: str
    remote: str
    proxy: Proxy
    halting: Halts


class Site(NamedTuple):
    """All that the tests share: `course` is what an undisturbed upgrade runs, `schemas` what each revision makes."""

    server: Server
    clone: Warm
    slots: Sequence[Slot]
    script: ScriptDirectory
    course: Sequence[Stopped]
    schemas: Mapping[str, Schema]


class Way(NamedTuple):
    """A way to kill, all at once; `breaks` tells, from what came before and was to come, whether it is noticed."""

    kill: Callable[[Site, Sequence[tuple[Slot, Stopped]]], None]
    breaks: Callable[[Sequence[Stopped], Sequence[Stopped]], bool]
    by_network: bool = False
    leaves_a_server: bool = True
    ends_all_sessions: bool = False


def kill_processes(site: Site, stops: Sequence[tuple[Slot, Stopped]]) -> None:
    for _, stopped in stops:
        os.kill(stopped.process, signal.SIGKILL)


def terminate_sessions(site: Site, stops: Sequence[tuple[Slot, Stopped]]) -> None:
    for slot, stopped in stops:
        assert ask(slot.url, "SELECT pg_terminate_backend(%s, 5000)", stopped.backend) == [(True,)]


def kill_sessions(site: Site, stops: Sequence[tuple[Slot, Stopped]]) -> None:
    """The server ends all other sessions too, and begins anew by itself."""
    for _, stopped in stops:
        with suppress(ProcessLookupError):  # ended by the server already, because of the one before
            os.kill(stopped.backend, signal.SIGKILL)
    gone = {stopped.backend for _, stopped in stops}
    until(lambda: not gone & set(postmaster.processes(site.server.data)), "the killed are gone")
    server.maintenance_url(site.server)


def kill_server(site: Site, stops: Sequence[tuple[Slot, Stopped]]) -> None:
    found = postmaster.find(site.server.data)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    until(lambda: not list(postmaster.processes(site.server.data)), "its processes have followed it")


def restart_server(site: Site, stops: Sequence[tuple[Slot, Stopped]]) -> None:
    assert server.stop(site.server)
    server.maintenance_url(site.server)


def cut_network(site: Site, stops: Sequence[tuple[Slot, Stopped]]) -> None:
    for slot, _ in stops:
        slot.proxy.cut_all()


def used_again(before: Sequence[Stopped], after: Sequence[Stopped]) -> bool:
    return before[-1].backend in {later.backend for later in after}


def any_used_again(before: Sequence[Stopped], after: Sequence[Stopped]) -> bool:
    return not {one.backend for one in before}.isdisjoint(later.backend for later in after)


def goes_on(before: Sequence[Stopped], after: Sequence[Stopped]) -> bool:
    return bool(after)


WAYS = {
    "kill -9 of the process": Way(kill_processes, lambda before, after: True),
    "pg_terminate_backend of its session": Way(terminate_sessions, used_again),
    "kill -9 of its server process": Way(kill_sessions, any_used_again, ends_all_sessions=True),
    "kill -9 of the server": Way(kill_server, goes_on, leaves_a_server=False, ends_all_sessions=True),
    "a restart of the server": Way(restart_server, any_used_again, ends_all_sessions=True),
    "a cut of the network": Way(cut_network, any_used_again, by_network=True),
}
