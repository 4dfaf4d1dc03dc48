"""What is read after a step, as far as its locks tell, is what a whole reading finds: for every kind of change."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import raw, roundtrip_reading, roundtrip_snapshot, roundtrip_touch, urls
from app.migrations.roundtrip_reading import Reader
from app.migrations.roundtrip_touch import UNKNOWN, Touched

GIVEN = """
CREATE TABLE alembic_version (version_num text);
CREATE SCHEMA side;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN size AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE SEQUENCE number;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION least_of(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE TABLE whole_of (id int);
CREATE TABLE parents (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk PRIMARY KEY, name text NOT NULL, mood mood);
CREATE TABLE children (id int PRIMARY KEY DEFAULT nextval('number'), size size DEFAULT 3, whole whole_of, coupled pair,
    parent bigint CONSTRAINT fk REFERENCES parents, low int DEFAULT least_of(3), CONSTRAINT ck CHECK (low > 0));
CREATE TABLE distant (parent bigint CONSTRAINT fk_distant REFERENCES parents);
CREATE INDEX ix ON parents (name);
CREATE VIEW seen AS SELECT p.name, c.low FROM parents p JOIN children c ON c.parent = p.id;
CREATE VIEW seen_again AS SELECT name FROM seen;
CREATE MATERIALIZED VIEW kept AS SELECT name FROM parents;
CREATE TRIGGER tr BEFORE INSERT ON parents FOR EACH ROW EXECUTE FUNCTION tell();
CREATE POLICY po ON children USING (parent IN (SELECT id FROM parents WHERE name = 'x'));
CREATE RULE ru AS ON DELETE TO children DO ALSO UPDATE parents SET name = 'gone' WHERE id = OLD.parent;
CREATE STATISTICS st ON id, name FROM parents;
CREATE TABLE parts (day date NOT NULL, note text) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE INDEX ix_parts ON parts (note);
CREATE TABLE heirs (more int) INHERITS (parents);
"""
STATEMENTS = """
ALTER TABLE parents ADD COLUMN extra int DEFAULT 4
ALTER TABLE parents ALTER COLUMN extra SET NOT NULL
ALTER TABLE whole_of RENAME TO whole_one
ALTER TABLE parents RENAME COLUMN name TO title
ALTER TABLE parents RENAME COLUMN id TO key
ALTER TABLE parents RENAME TO people
ALTER TABLE people RENAME CONSTRAINT pk TO pk_people
ALTER TABLE people RENAME TO parents
COMMENT ON TABLE parents IS 'x'
COMMENT ON COLUMN parents.title IS 'x'
COMMENT ON CONSTRAINT fk ON children IS 'x'
COMMENT ON CONSTRAINT fk ON children IS NULL
COMMENT ON TRIGGER tr ON parents IS 'x'
COMMENT ON POLICY po ON children IS 'x'
COMMENT ON RULE ru ON children IS 'x'
COMMENT ON INDEX ix IS 'x'
COMMENT ON TRIGGER tr ON parents IS NULL
COMMENT ON TYPE mood IS 'x'
COMMENT ON STATISTICS st IS 'x'
COMMENT ON SCHEMA public IS 'x'
COMMENT ON SCHEMA side IS 'x'
COMMENT ON SEQUENCE number IS 'x'
CREATE INDEX ix_lower ON parents (lower(title))
ALTER INDEX ix_lower ALTER COLUMN 1 SET STATISTICS 9
ALTER DOMAIN size ADD CONSTRAINT narrow CHECK (VALUE < 9)
COMMENT ON CONSTRAINT narrow ON DOMAIN size IS 'x'
GRANT SELECT ON parents TO PUBLIC
GRANT UPDATE (title) ON parents TO PUBLIC
REVOKE ALL ON parents FROM PUBLIC
GRANT USAGE ON SEQUENCE number TO PUBLIC
ALTER SEQUENCE number RENAME TO counter
ALTER SEQUENCE counter INCREMENT 3
ALTER TYPE mood RENAME TO feeling
ALTER TYPE feeling RENAME VALUE 'glad' TO 'happy'
ALTER TYPE feeling ADD VALUE 'angry'
ALTER DOMAIN size RENAME TO width
ALTER DOMAIN width DROP CONSTRAINT size_check
ALTER FUNCTION least_of(int) RENAME TO smallest_of
ALTER FUNCTION tell() RENAME TO told
CREATE OR REPLACE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'
ALTER TYPE pair RENAME ATTRIBUTE a TO c
ALTER TYPE pair RENAME TO couple
ALTER STATISTICS st RENAME TO stat
ALTER STATISTICS stat SET STATISTICS 50
ALTER INDEX ix RENAME TO ix_title
ALTER INDEX ix_title SET (fillfactor = 70)
ALTER TRIGGER tr ON parents RENAME TO trigger_1
ALTER TABLE parents DISABLE TRIGGER trigger_1
ALTER POLICY po ON children RENAME TO policy_1
ALTER TABLE children ENABLE ROW LEVEL SECURITY
ALTER RULE ru ON children RENAME TO rule_1
ALTER VIEW seen RENAME COLUMN low TO lowest
ALTER VIEW seen RENAME TO looked_at
ALTER MATERIALIZED VIEW kept RENAME TO held
CREATE INDEX ON held (name)
ALTER TABLE children ALTER COLUMN low DROP DEFAULT
ALTER TABLE children DROP CONSTRAINT ck
ALTER TABLE children ALTER CONSTRAINT fk DEFERRABLE
ALTER TABLE children VALIDATE CONSTRAINT fk
ALTER TABLE children REPLICA IDENTITY FULL
ALTER TABLE children ALTER COLUMN low SET STATISTICS 7
ALTER TABLE children ALTER COLUMN coupled SET STORAGE EXTERNAL
ALTER TABLE children SET SCHEMA side
ALTER SCHEMA side RENAME TO aside
ALTER TABLE aside.children SET UNLOGGED
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')
ALTER TABLE parts ADD COLUMN added int
ALTER TABLE parts RENAME COLUMN note TO remark
ALTER TABLE parts RENAME TO pieces
ALTER TABLE pieces DETACH PARTITION parts_1
ALTER TABLE pieces ATTACH PARTITION parts_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
DROP INDEX ix_parts
ALTER TABLE parents ADD COLUMN inherited int
ALTER TABLE heirs NO INHERIT parents
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC
CREATE TABLE granted (id int UNIQUE)
CREATE TABLE pointing (id int REFERENCES granted (id))
ALTER TABLE granted OWNER TO CURRENT_USER
CREATE PUBLICATION pub FOR TABLE granted
ALTER TABLE granted ADD COLUMN told int
DROP PUBLICATION pub
DROP TABLE granted CASCADE
DROP TYPE feeling CASCADE
DROP VIEW looked_at CASCADE
DROP SCHEMA aside CASCADE
DROP TABLE parents CASCADE
"""


@pytest.fixture
def session(database: str) -> Iterator[RawConnection]:
    with closing(psycopg2.connect(urls.to_libpq(database).conninfo)) as connection:
        raw.execute(connection, GIVEN)
        connection.commit()
        yield connection


@pytest.fixture
def watcher(database: str) -> Iterator[RawConnection]:
    with closing(psycopg2.connect(urls.to_libpq(database).conninfo)) as connection:
        connection.autocommit = True
        yield connection


def run(session: RawConnection, watcher: RawConnection, statement: str) -> Touched:
    """Run a statement in a transaction of its own; what its locks say that it touched."""
    marked = int(str(raw.value(watcher, "SELECT 'public.alembic_version'::regclass::oid::bigint")))
    raw.execute(session, "LOCK TABLE public.alembic_version IN ROW SHARE MODE")
    raw.execute(session, statement)
    found = roundtrip_touch.touched(watcher, session.info.backend_pid, marked)
    session.commit()
    return found


def test_after_every_statement_the_patched_catalog_is_the_whole_one(
    session: RawConnection, watcher: RawConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, whole = Reader(watcher), list[str]()
    read_all = Reader._read_all
    monkeypatch.setattr(Reader, "_read_all", lambda self: whole.append("") or read_all(self))  # type: ignore[func-returns-value]
    reader.read(UNKNOWN)
    for statement in filter(None, STATEMENTS.splitlines()):
        touched = run(session, watcher, statement)
        assert touched.altered is not None, statement
        read, expected = reader.read(touched), reader.read_whole()
        assert (statement, roundtrip_snapshot.compare(expected, read)) == (statement, [])
        assert roundtrip_snapshot.same(read, expected), statement
    assert len(whole) <= 22, "few of the statements reach so far that everything has to be read again"


def test_a_transaction_that_was_committed_in_between_is_not_known(
    session: RawConnection, watcher: RawConnection
) -> None:
    assert run(session, watcher, "COMMIT; ALTER TABLE parents ADD COLUMN extra int") == UNKNOWN


def test_rows_that_were_written_are_told_from_tables_that_were_altered(
    session: RawConnection, watcher: RawConnection
) -> None:
    number = raw.value(watcher, "SELECT 'public.parents'::regclass::oid::bigint")
    touched = run(session, watcher, "INSERT INTO parents (name) VALUES ('x')")
    assert touched.written is not None
    assert (touched.altered, number in touched.written, touched.roles) == (frozenset(), True, False)


def test_a_role_that_was_made_is_seen(session: RawConnection, watcher: RawConnection) -> None:
    assert run(session, watcher, "CREATE ROLE roundtrip_reading_role; DROP ROLE roundtrip_reading_role").roles


def test_a_snapshot_shares_what_nothing_has_touched(session: RawConnection, watcher: RawConnection) -> None:
    reader = roundtrip_reading.Reader(watcher)
    before = reader.read(UNKNOWN)
    after = reader.read(run(session, watcher, "ALTER TABLE parents ADD COLUMN extra int"))
    assert after.tables["public.parts_1"] is before.tables["public.parts_1"]
    assert [one.object for one in roundtrip_snapshot.compare(before, after)] == ["public.parents.extra"]


def test_the_session_that_reads_compiles_nothing(watcher: RawConnection) -> None:
    assert raw.value(Reader(watcher).connection, "SHOW jit") == "off"
