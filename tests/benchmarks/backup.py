"""What a backup, a restore and a proof cost beside `pg_dump > file.sql` and `psql < file.sql`.

Whole processes on one database of a private server, in turn: `python -m tests.benchmarks.backup`. The server, in a
temporary folder (TMPDIR), is not durable, and serves all roads: what is compared is not the disk. Our files are synced
all the same; the plain ones are not. The database is warm, and all is on the disk before a road begins.
PG_BIN=FOLDER has the server and the programs of that folder measured, and no other: those with zstd, say.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import IO, NamedTuple

from sqlalchemy.engine import make_url

from app.migrations import archives, clients, cluster, server, urls
from app.migrations.archives import Archive
from app.migrations.clients import Clients
from app.migrations.programs import Programs, find_server_programs
from tests import bulk, peaks
from tests.clones import OURS, copy_tree
from tests.migrations.chains import ask
from tests.peaks import Spent

SMALL = 0.2
"""Gigabytes of the database that memory is compared with."""
FLAT = 20_000_000
"""Bytes that peak memory may differ between the two."""
PACKED = {"gzip": (1.8, 0.4), "zstd": (1.0, 1 / 3)}
"""By method: how much longer than the plain dump ours may take, and how much of its size it may have."""
PROVEN = 1.1
LOOKS = 2
"""Times, each turn, that the dumps are made there and back: plain, ours, ours, plain."""
ENVIRONMENT = "dev"
PLAIN_DUMP, PLAIN_RESTORE = BY_HAND = ("pg_dump > f", "psql < f")
BACKUP, RESTORE, PROOF = "inv db.backup", "inv db.restore --into", "inv db.backup --prove"


class Turn(NamedTuple):
    """What each road took, once; sizes in bytes."""

    spent: dict[str, Spent]
    plain_size: int
    size: int

    def seconds(self, *roads: str) -> float:
        return sum(self.spent[road].seconds for road in roads)


class Roads:
    """The roads, in a copy of this repository, for one database and the programs of one folder."""

    def __init__(self, tree: Path, admin: str, url: str, programs: Clients) -> None:
        self.tree, self.admin, self.programs, self.url = tree, admin, programs, url
        self.plain = tree / "plain.sql"
        kept = {name: value for name, value in os.environ.items() if name not in (*OURS, "PYTHONDONTWRITEBYTECODE")}
        self.environment = kept | {"PG_BIN": str(programs.bin)}
        (tree / ".env").write_text(f"DATABASE_URL={url}\nSCRATCH_URL={admin}\n")

    def turn(self) -> Turn:
        """Run each road once, and the two dumps, which are close to each other, several times."""
        spent = self._dumps()
        archive = self._latest()
        with self.new_database("loaded", "TEMPLATE template0") as name:
            spent[PLAIN_RESTORE] = self.load(name)
        with self.new_database("restored") as name:
            spent[RESTORE] = self.inv("db.restore", f"--into={name}")
        archives.delete(archive.folder)
        spent[PROOF] = self.inv("db.backup", "--prove")
        archives.delete(self._latest().folder)
        size = self.plain.stat().st_size
        self.plain.unlink()
        return Turn(spent, size, archive.size)

    def _dumps(self) -> dict[str, Spent]:
        """Dump there and back, `LOOKS` times: the machine drifts by more than what tells them apart."""
        plain, ours = [], []
        for _ in range(LOOKS):
            plain.append(self.dump())
            for _ in range(2):
                for archive in archives.listed(self.tree / "backups", ENVIRONMENT):
                    archives.delete(archive.folder)
                ours.append(self.inv("db.backup"))
            plain.append(self.dump())
        return {PLAIN_DUMP: peaks.mean(plain), BACKUP: peaks.mean(ours)}

    def _latest(self) -> Archive:
        return archives.find(self.tree / "backups", ENVIRONMENT)

    def dump(self) -> Spent:
        """`pg_dump -d URL > file.sql`."""
        with self.plain.open("wb") as file:
            return self._run([self.programs.path("pg_dump"), urls.to_libpq(self.url).conninfo], stdout=file)

    def load(self, name: str) -> Spent:
        """`psql -d NAME < file.sql`."""
        conninfo = urls.to_libpq(_database(self.admin, name)).conninfo
        with self.plain.open("rb") as file:
            return self._run([self.programs.path("psql"), "-v", "ON_ERROR_STOP=1", conninfo], stdin=file)

    def inv(self, *words: str) -> Spent:
        """`inv TASK ...`."""
        return self._run([sys.executable, "-m", "invoke", *words, f"--env={ENVIRONMENT}"])

    def _run(
        self, command: Sequence[str], stdin: IO[bytes] | int = DEVNULL, stdout: IO[bytes] | int = DEVNULL
    ) -> Spent:
        ask(self.admin, "CHECKPOINT")
        os.sync()
        return peaks.run(command, self.tree, self.environment, stdin, stdout)

    @contextmanager
    def new_database(self, name: str, made_as: str = "") -> Iterator[str]:
        """Yield the name of a new database, which the block makes unless `made_as` says how; it is dropped then."""
        if made_as:
            ask(self.admin, f"CREATE DATABASE {name} {made_as}")
        try:
            yield name
        finally:
            ask(self.admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Figures(NamedTuple):
    """Of one kind of compression: the turns with the large database, and one with the small one."""

    programs: Clients
    method: str
    turns: Sequence[Turn]
    small: Turn

    def seconds(self, *roads: str) -> float:
        """The median, in seconds, of what these roads took, one after the other."""
        return statistics.median(turn.seconds(*roads) for turn in self.turns)

    def ratio(self, ours: str, *plain: str) -> float:
        """The median of what the roads of one turn are to each other: neighbours share what else the machine does."""
        return statistics.median(turn.seconds(ours) / turn.seconds(*plain) for turn in self.turns)

    @property
    def share(self) -> float:
        """The size of our dump as a part of the plain one's."""
        return self.turns[-1].size / self.turns[-1].plain_size

    def memory(self, road: str) -> tuple[float, float]:
        """Bytes at the peak: of the process, and of all its processes at one time."""
        spent = [turn.spent[road] for turn in self.turns]
        return statistics.median(one.own for one in spent), statistics.median(one.all for one in spent)

    def growth(self, road: str) -> float:
        """Bytes that peak memory differs between the two databases, of the process or of all: the larger."""
        small, (own, every) = self.small.spent[road], self.memory(road)
        return max(abs(own - small.own), abs(every - small.all))


def _database(admin: str, name: str) -> str:
    return make_url(admin).set(database=name).render_as_string(hide_password=False)


def variants(pg_bin: str, server_programs: Programs) -> list[tuple[Clients, str]]:
    """The programs that `inv` takes by itself, and without PG_BIN those of the wheel where they pack in another way."""
    folders = [pg_bin] if pg_bin else ["", str(server_programs.bin)]
    found = [clients.find(folder, os.environ.get("PATH", ""), server_programs.major) for folder in folders]
    return list({method: (one, method) for one in found if (method := clients.best_compression(one))}.values())


@contextmanager
def private_server(folder: Path, server_programs: Programs) -> Iterator[str]:
    """Yield the URL of a server of its own, gone after the block."""
    found = server.scratch_server(folder, server_programs)
    try:
        yield server.maintenance_url(found)
    finally:
        server.stop_all(folder)
        cluster.remove(found.data)


def measure(
    folder: Path, admin: str, sizes: Sequence[float], repeat: int, measured: Sequence[tuple[Clients, str]]
) -> Iterator[Figures]:
    """Fill a database of each size, then run all roads in turn; the small one, and a dump, warm up."""
    places: list[str] = []
    for size in sizes:
        name = f"shop_{len(places)}"
        ask(admin, f"CREATE DATABASE {name} TEMPLATE template0")
        places.append(_database(admin, name))
        say(f"{name}: {bulk.fill(places[-1], size) / 1e9:.2f} GB of rows")
    tree = copy_tree(folder / "tree")
    for programs, method in measured:
        small = Roads(tree, admin, places[0], programs).turn()
        large = Roads(tree, admin, places[1], programs)
        large.dump()
        yield Figures(programs, method, [large.turn() for _ in range(repeat)], small)


def judge(found: Figures) -> list[str]:
    """Compare with what is promised; returns what was missed."""
    promises = [
        ("a restore is not slower", found.ratio(RESTORE, PLAIN_RESTORE) <= 1),
        (f"backup and proof take at most {PROVEN} times as long as by hand", found.ratio(PROOF, *BY_HAND) <= PROVEN),
    ]
    if limits := PACKED.get(found.method.partition(":")[0]):
        slower, share = limits
        promises += [
            (f"a dump takes at most {slower} times as long", found.ratio(BACKUP, PLAIN_DUMP) <= slower),
            (f"a dump has at most {share:.2f} of the size", found.share <= share),
        ]
    promises += [
        (f"{road}: memory within {FLAT / 1e6:.0f} MB of the small database's", found.growth(road) <= FLAT)
        for road in (BACKUP, RESTORE, PROOF)
    ]
    return [promise for promise, kept in promises if not kept]


def show(found: Figures) -> None:
    """Print the figures, ours below the plain ones."""
    last = found.turns[-1]
    say(f"\npg_dump {found.programs.version}, {found.method}, {os.cpu_count()} cores, {len(found.turns)} times")
    say(f"{'':24}{'time':>18}{'size':>20}{'memory':>12}{'of all':>10}{'small one':>12}")
    sizes = {PLAIN_DUMP: f"{last.plain_size / 1e6:.0f} MB", BACKUP: f"{last.size / 1e6:.0f} MB {found.share:.2f} x"}
    for ours, plain in ((BACKUP, (PLAIN_DUMP,)), (RESTORE, (PLAIN_RESTORE,)), (PROOF, BY_HAND)):
        for name, roads in (("; ".join(plain), plain), (ours, (ours,))):
            factor = f"{found.ratio(ours, *plain):>6.2f} x" if roads == (ours,) else f"{'':8}"
            memory = f"{sizes.get(name, ''):>20}" + (_memory(found, name) if len(roads) == 1 else "")
            say(f"{name:24}{found.seconds(*roads):>8.1f} s{factor}{memory}")


def _memory(found: Figures, road: str) -> str:
    own, every = found.memory(road)
    return f"{own / 1e6:>9.0f} MB{every / 1e6:>7.0f} MB{found.small.spent[road].all / 1e6:>9.0f} MB"


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure on a server of its own, print the figures; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=2, help="gigabytes of rows")
    parser.add_argument("--repeat", type=int, default=5, help="turns: each road once, the dumps four times")
    parser.add_argument("--pg", type=int, help="major version of the server; the first of PG_BIN, else 18")
    given = parser.parse_args()
    missed, pg_bin = [], os.environ.get("PG_BIN", "")
    programs = find_server_programs(pg_bin, given.pg)
    measured = variants(pg_bin, programs)
    with tempfile.TemporaryDirectory() as folder, private_server(Path(folder), programs) as admin:
        for found in measure(Path(folder), admin, (SMALL, given.size), given.repeat, measured):
            show(found)
            missed += [f"{found.method}: {promise}" for promise in judge(found)]
    for promise in missed:
        say(f"missed: {promise}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
