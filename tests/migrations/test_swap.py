"""Two databases that change their names: at once, with nobody inside, and never one without the other."""

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from types import SimpleNamespace
from typing import NamedTuple

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812
from sqlalchemy import make_url

from app.migrations import beside, database_names, maintenance, raw, swap
from app.migrations.errors import Refused
from app.migrations.failures import Place
from app.migrations.quoting import quoted
from app.migrations.swap import Exchange, Hands
from tests.migrations.chains import ask, dsn, until

PLACE = Place("the test database", None)
TOKEN = "0" * 16


def nothing(*_: object) -> None:
    """Neither dress nor leave."""


class Pair(NamedTuple):
    """A target and what was built beside it, each with a row that says which it is, on the server of `admin`."""

    server: str
    change: Exchange

    def url(self, name: str) -> str:
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def holds(self, name: str) -> str:
        return str(ask(self.url(name), "SELECT which FROM t")[0][0])

    def names(self) -> dict[str, int]:
        found = ask(self.server, "SELECT datname, oid::int FROM pg_database WHERE oid = ANY (%s)", [*self._oids()])
        return {str(name): int(oid) for name, oid in found}

    def _oids(self) -> Iterator[int]:
        yield from (oid for oid in (self.change.oid, self.change.built_oid) if oid is not None)

    @property
    def before(self) -> dict[str, int]:
        assert self.change.oid is not None
        return {self.change.target: self.change.oid, self.change.built: self.change.built_oid}

    @property
    def after(self) -> dict[str, int]:
        assert self.change.oid is not None
        return {self.change.kept: self.change.oid, self.change.target: self.change.built_oid}


@pytest.fixture
def make(scratch_admin: str) -> Iterator[Callable[..., Pair]]:
    """Make a pair; whatever its databases are called in the end, they are dropped."""
    made: list[int] = []

    def database(name: str, which: str) -> int:
        ask(scratch_admin, f"CREATE DATABASE {quoted(name)} TEMPLATE template0")
        oid = int(ask(scratch_admin, "SELECT oid::bigint FROM pg_database WHERE datname = %s", name)[0][0])
        made.append(oid)
        url = make_url(scratch_admin).set(database=name).render_as_string(hide_password=False)
        ask(url, f"CREATE TABLE t AS SELECT '{which}'::text AS which")
        return oid

    def pair(ending: str = "") -> Pair:
        name = f"swap_{secrets.token_hex(4)}{ending}"[:63]
        kept, built = f"{name[:30]}_kept", database_names.built(name, TOKEN)
        return Pair(scratch_admin, Exchange(name, database(name, "old"), built, database(built, "new"), kept))

    yield pair
    for (name,) in ask(scratch_admin, "SELECT datname FROM pg_database WHERE oid = ANY (%s)", made):
        ask(scratch_admin, f"DROP DATABASE {quoted(str(name))} WITH (FORCE)")


def connect(pair: Pair) -> Connection:
    return maintenance.connect(pair.server, pair.change.target, PLACE)


def exchanged(pair: Pair, terminate: bool = False, dress: Callable[[Connection], None] = nothing) -> None:
    with closing(connect(pair)) as admin, closing(connect(pair)) as mover:
        swap.exchange(mover, admin, pair.change, Hands(dress, nothing, terminate))


ENDINGS = {"plain": "", "upper case": "MassaCorp", "accents, quotes": " é\"ü'%s\\ ", "63 bytes": "x" * 50}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_the_new_database_has_the_name_and_the_old_one_is_kept(make: Callable[..., Pair], ending: str) -> None:
    pair = make(ending)
    exchanged(pair)
    assert pair.names() == pair.after
    assert (pair.holds(pair.change.target), pair.holds(pair.change.kept)) == ("new", "old")


def test_where_the_old_one_is_lost_the_new_one_gets_the_name(make: Callable[..., Pair]) -> None:
    pair = make()
    ask(pair.server, f"DROP DATABASE {pair.change.target}")
    exchanged(pair._replace(change=pair.change._replace(oid=None)))
    assert pair.holds(pair.change.target) == "new"


@pytest.mark.slow
def test_a_session_of_somebody_else_is_left_alone_and_nothing_is_renamed(make: Callable[..., Pair]) -> None:
    pair = make()
    with closing(psycopg2.connect(dsn(pair.url(pair.change.target)))) as other, other.cursor() as cursor:
        with pytest.raises(swap.InTheWayError, match="1 other session"):
            exchanged(pair)
        cursor.execute("SELECT which FROM t")
        assert cursor.fetchone() == ("old",)
    assert pair.names() == pair.before
    assert pair.holds(pair.change.target) == "old"


@pytest.mark.slow
def test_our_own_session_stays_until_nobody_else_can_come(make: Callable[..., Pair]) -> None:
    """With it goes the migration lock: no migration can begin between its end and the renames."""
    pair, seen = make(), []
    inside = psycopg2.connect(dsn(pair.url(pair.change.target)))

    def leave() -> None:
        with pytest.raises(psycopg2.OperationalError, match="timeout"):
            psycopg2.connect(dsn(pair.url(pair.change.target)), connect_timeout=2)
        seen.append(inside.closed)
        inside.close()

    with closing(connect(pair)) as admin, closing(connect(pair)) as mover:
        swap.exchange(mover, admin, pair.change, Hands(nothing, leave, terminate=False))
    assert seen == [0]
    assert pair.names() == pair.after


def test_clients_that_come_back_at_once_are_ended_and_find_the_new_one(make: Callable[..., Pair]) -> None:
    pair = make()
    over, found, refusals = threading.Event(), list[str](), set[str]()

    def come_back() -> None:
        while not over.is_set():
            try:
                with closing(psycopg2.connect(dsn(pair.url(pair.change.target)))) as session:
                    cursor = session.cursor()
                    while not over.is_set():
                        cursor.execute("SELECT which FROM t")
                        found.extend(cursor.fetchone() or ())
            except psycopg2.Error as error:
                refusals.add(str(error).strip().splitlines()[-1].partition(":")[2].strip() or str(error))

    threads = [threading.Thread(target=come_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: found.count("old") > 4, "the clients are at work")
        exchanged(pair, terminate=True)
        until(lambda: found[-20:] == ["new"] * 20, "the clients have found the new database")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert pair.names() == pair.after
    assert not [text for text in refusals if "not currently accepting" in text], refusals
    first = found.index("new")
    assert "old" not in found[first + len(threads) :]


def test_what_fails_between_the_renames_undoes_the_first(make: Callable[..., Pair]) -> None:
    pair = make()
    with pytest.raises(psycopg2.errors.UndefinedObject):
        exchanged(pair, dress=lambda mover: mover.cursor().execute("ALTER DATABASE postgres OWNER TO nobody_at_all"))
    assert pair.names() == pair.before


def test_another_database_of_the_same_name_is_not_taken_for_the_old_one(make: Callable[..., Pair]) -> None:
    pair = make()
    with pytest.raises(Refused, match="somebody else renames databases"):
        exchanged(pair._replace(change=pair.change._replace(oid=1)))
    assert pair.names() == pair.before


def test_an_interrupt_while_it_waits_for_a_session_undoes_everything(make: Callable[..., Pair]) -> None:
    pair = make()

    def interrupted() -> None:
        raise KeyboardInterrupt

    with ExitStack() as stack:
        admin, mover = (stack.enter_context(closing(connect(pair))) for _ in "12")
        stack.enter_context(closing(psycopg2.connect(dsn(pair.url(pair.change.target)))))
        with pytest.raises(KeyboardInterrupt):
            swap.exchange(mover, admin, pair.change, Hands(nothing, interrupted, terminate=False))
    assert pair.names() == pair.before


def test_an_interrupt_between_the_renames_undoes_everything(make: Callable[..., Pair]) -> None:
    pair, main = make(), threading.main_thread().ident or 0

    def interrupting(mover: Connection) -> None:
        signal.pthread_kill(main, signal.SIGINT)
        mover.cursor().execute("SELECT pg_sleep(60)")

    with pytest.raises(KeyboardInterrupt):
        exchanged(pair, dress=interrupting)
    assert pair.names() == pair.before


def test_an_interrupt_at_the_very_beginning_undoes_everything(
    make: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes when the thread runs already, and who has started it does not know it yet."""
    pair, renaming, given_up = make(), threading.Event(), threading.Event()

    def dress(_: Connection) -> None:
        renaming.set()
        assert given_up.wait(30)

    def begin(work: Callable[[], None], outcome: "Future[None]") -> None:
        beside.begin(work, outcome)
        assert renaming.wait(30)
        raise KeyboardInterrupt

    def end(outcome: "Future[None]", give_up: Callable[[], None]) -> None:
        give_up()  # there is no statement yet that it could cancel
        given_up.set()
        beside.end(outcome, nothing)

    monkeypatch.setattr(swap, "beside", SimpleNamespace(begin=begin, end=end))
    with pytest.raises(KeyboardInterrupt):
        exchanged(pair, dress=dress)
    assert given_up.is_set()
    assert pair.names() == pair.before


STAGES = ["SET LOCAL", "RENAME TO", "dress", "RENAME TO 2", "commit"]


@pytest.mark.parametrize("stage", range(len(STAGES)), ids=STAGES)
def test_a_kill_leaves_the_old_or_the_new_one_under_the_name(make: Callable[..., Pair], stage: int) -> None:
    pair = make()
    child = os.fork()
    if not child:
        _stop_after(pair, stage)
    assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until(lambda: not _sessions_of(pair, child), "the server has noticed")
    assert pair.names() == (pair.after if STAGES[stage] == "commit" else pair.before)
    assert pair.holds(pair.change.target) == ("new" if STAGES[stage] == "commit" else "old")
    with closing(connect(pair)) as admin:
        left = [] if STAGES[stage] == "commit" else [pair.change.built]
        assert maintenance.mend(admin, pair.change.target) == left


def _stop_after(pair: Pair, stage: int) -> None:
    """In a child: run the exchange, and stop for ever after one of its statements."""
    done = 0

    def passed(*_: object) -> None:
        nonlocal done
        if done == stage:
            os.kill(os.getpid(), signal.SIGSTOP)
            threading.Event().wait()  # another thread may have been the first to stop
        done += 1

    def watched(connection: Connection, statement: str, *values: object) -> None:
        raw.execute(connection, statement, *values)
        passed()

    try:
        setattr(swap, "execute", watched)  # noqa: B010 -- mypy knows it as another module's
        admin, mover = connect(pair), connect(pair)
        for one in (admin, mover):
            raw.execute(one, "SET application_name = %s", f"swap {os.getpid()}")
        swap.exchange(mover, admin, pair.change, Hands(passed, nothing, terminate=False))
        passed()
    finally:
        os._exit(1)


def _sessions_of(pair: Pair, process: int) -> object:
    return ask(pair.server, "SELECT FROM pg_stat_activity WHERE application_name = %s", f"swap {process}")


def test_what_a_killed_restore_left_is_dropped_and_what_lives_is_not(make: Callable[..., Pair]) -> None:
    pair = make()
    target, other = pair.change.target, f"{pair.change.target}2"
    with closing(connect(pair)) as admin, closing(connect(pair)) as second:
        with maintenance.building(second, target, "") as (living, _):
            assert maintenance.mend(admin, other) == []
            assert maintenance.mend(admin, target) == [pair.change.built]
            assert maintenance.name_of(admin, maintenance.oid_of(admin, living) or 0) == living
        assert maintenance.oid_of(admin, living) is None
        assert maintenance.oid_of(admin, target) is not None


def test_a_half_built_database_that_somebody_uses_stays(make: Callable[..., Pair]) -> None:
    pair = make()
    with closing(connect(pair)) as admin, closing(psycopg2.connect(dsn(pair.url(pair.change.built)))):
        assert maintenance.mend(admin, pair.change.target) == []


def test_a_second_restore_of_the_same_database_is_refused(make: Callable[..., Pair]) -> None:
    pair = make()
    with closing(connect(pair)) as one, closing(connect(pair)) as two, maintenance.alone(one, "app", PLACE):
        with (
            pytest.raises(Refused, match="another restore"),
            maintenance.alone(two, "app", PLACE),
        ):
            pass
        with maintenance.alone(two, "other", PLACE):
            pass


@pytest.mark.parametrize("name", ["postgres", "template1", "app"])
def test_a_database_is_renamed_from_another_one(scratch_admin: str, name: str) -> None:
    with closing(maintenance.connect(scratch_admin, name, PLACE)) as admin:
        assert raw.value(admin, "SELECT current_database()") == ("template1" if name == "postgres" else "postgres")


def test_sessions_are_told_with_who_they_are(make: Callable[..., Pair]) -> None:
    pair = make()
    with (
        closing(connect(pair)) as admin,
        closing(psycopg2.connect(dsn(pair.url(pair.change.target)), application_name="shop")),
    ):
        (session,) = swap.sessions(admin, pair.change.oid or 0)
    assert (session.user, session.application, session.can_be_ended) == ("postgres", "shop", True)
    assert session.described.startswith(f"pid {session.pid} (user postgres, application shop), connected for ")
