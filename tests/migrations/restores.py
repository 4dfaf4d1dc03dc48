"""A shop with a database of its own, backed up in a folder of the test, and restored as `inv db.restore` does."""

import hashlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import NullPool, create_engine, make_url

from app.migrations import clients, ownership, restore, restore_plan, urls
from app.migrations.identity import Verdict
from app.migrations.ownership import Examination
from app.migrations.quoting import quoted
from app.migrations.restore import Outcome, Road
from app.migrations.restore_plan import Request
from tests.migrations.chains import ask
from tests.migrations.sites import ROOT, Site, site

SHOP = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE RETURN 1;
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "näme" text, m mood DEFAULT 'good',
    n int DEFAULT one(), twice bigint GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO users ("näme") SELECT 'user ' || g FROM generate_series(1, 200) g;
CREATE INDEX ON users ("näme");
CREATE TABLE "Or""ders 100%" (id serial PRIMARY KEY, u bigint REFERENCES users, note text);
INSERT INTO "Or""ders 100%" (u) SELECT g FROM generate_series(1, 50) g;
CREATE TABLE part (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20);
INSERT INTO part SELECT g, 'v' FROM generate_series(1, 15) g;
CREATE VIEW names AS SELECT "näme" FROM users;
CREATE TABLE alembic_version AS SELECT 'abc123'::text AS version_num;
COMMENT ON TABLE users IS 'it''s ours';
SELECT lo_from_bytea(0, 'large');
"""
DESTROY = 'DROP TABLE "Or""ders 100%"; DELETE FROM users WHERE id > 10; ALTER TABLE users DROP COLUMN m CASCADE'


class Shop(NamedTuple):
    """One environment and its database, which goes with the test, under whatever names it is left."""

    site: Site
    name: str
    said: list[str]

    @property
    def url(self) -> str:
        return self.site.target.url

    def of(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    @property
    def road(self) -> Road:
        return Road(ROOT, self.site.target, self.site.engine, self.said.append)

    def restore(self, **asked: Any) -> Outcome:
        road = self.road
        situation = restore.gather(road, Request(**asked))
        restore_plan.decide(situation)
        return restore.run(road, situation)

    def names(self) -> set[str]:
        pattern = f"{self.name[:16]}%"
        rows = ask(self.of("postgres"), "SELECT datname FROM pg_database WHERE datname LIKE %s", pattern)
        return {str(row[0]) for row in rows}

    def verdict(self, name: str) -> tuple[Verdict, Examination]:
        with create_engine(self.of(name), poolclass=NullPool).connect() as connection:
            seen = ownership.examine(connection.execution_options(isolation_level="AUTOCOMMIT"))
        return ownership.judge(self.site.target, seen, ROOT), seen

    def dump(self, name: str = "", *options: str) -> str:
        """The hash of what an independent pg_dump writes, tables that record the restore aside.

        A server of 17.12 notes a pg_attver with each column, and a pg_dump that is older than that writes it down.
        """
        target = urls.to_libpq(self.of(name or self.name))
        programs = clients.find("", os.environ["PATH"], 18)
        command = [
            programs.path("pg_dump"), "--restrict-key=x", "--exclude-table=alembic_journal", *options,
            "--exclude-table=alembic_identity", f"--dbname={target.conninfo}",
        ]  # fmt: skip
        done = subprocess.run(command, env={**os.environ, **target.environment}, check=True, capture_output=True)
        lines = [line for line in done.stdout.splitlines() if not line.startswith(b"--") and b"pg_attver" not in line]
        return hashlib.sha256(b"\n".join(lines)).hexdigest()


@contextmanager
def shop(admin: str, folder: Path, ending: str = "", owner: str = "", **settings: Any) -> Iterator[Shop]:
    """Make the database, as `owner` if there is one; drop afterwards all whose names begin like it."""
    name = (f"shop_{secrets.token_hex(5)}_{ending}".encode()[:63]).decode(errors="ignore")
    server = make_url(admin)
    ask(admin, f"CREATE DATABASE {quoted(name)} TEMPLATE template0" + (f" OWNER {quoted(owner)}" if owner else ""))
    url = server.set(database=name, username=owner or server.username).render_as_string(hide_password=False)
    ask(url, SHOP)
    made = Shop(site(folder, url, **settings), name, [])
    try:
        yield made
    finally:
        for (left,) in ask(admin, "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", name[:16]):
            ask(admin, f"DROP DATABASE {quoted(str(left))} WITH (FORCE)")
