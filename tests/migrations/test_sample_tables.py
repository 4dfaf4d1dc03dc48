"""Filling whole schemas: the order, circles, what stands in the way, doing it again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import STATUS_READY
from psycopg2.extras import LoggingConnection
from sqlalchemy import text

from app.migrations import scratch
from app.migrations.sample import Sampler
from tests.migrations import rich_schema
from tests.migrations.chains import ask, dsn
from tests.migrations.samples import connected, count, dump, fill


def test_every_table_of_the_rich_schema_is_filled_or_named(scratch_admin: str) -> None:
    with scratch.database(scratch_admin, rich_schema.template(scratch_admin)) as url:
        unfilled = fill(url, "SELECT 1")
        listed = ask(
            url,
            """SELECT quote_ident(relnamespace::regnamespace::text) , quote_ident(relname) FROM pg_class
            WHERE relkind IN ('r', 'p') AND NOT relispartition AND oid >= 16384
            AND relnamespace::regnamespace::text NOT IN ('pg_toast', 'information_schema')""",
        )
        paths = {f"{schema}.{name}".replace('"""', '"') for schema, name in listed}
        empty = {path for path in paths if path.startswith("public") and not count(url, path)}
    assert empty == set(unfilled) == {"public.events"}
    assert unfilled["public.events"] == (
        'record "new" has no field "created" (PL/pgSQL function touched() line 1 at assignment)'
    )


CIRCLES = {
    "through a nullable key": """
        CREATE TABLE a (id serial PRIMARY KEY, b int);
        CREATE TABLE b (id serial PRIMARY KEY, a int NOT NULL REFERENCES a);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b""",
    "through deferrable keys": """
        CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL);
        CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a DEFERRABLE INITIALLY DEFERRED);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED""",
    "that nothing defers": """
        CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b uuid NOT NULL);
        CREATE TABLE b (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), a bigint NOT NULL REFERENCES a);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b""",
    "of three": """
        CREATE TABLE a (id serial PRIMARY KEY, c int NOT NULL);
        CREATE TABLE b (id serial PRIMARY KEY, a int NOT NULL REFERENCES a);
        CREATE TABLE c (id serial PRIMARY KEY, b int NOT NULL REFERENCES b, self int REFERENCES c);
        ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES c""",
    "of unique references": """
        CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL UNIQUE);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a UNIQUE);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b""",
}  # fmt: skip


@pytest.fixture(scope="module")
def circles(scratch_admin: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A database with a schema for each circle, and what could not be filled."""
    schemas = (f"CREATE SCHEMA c{i}; SET search_path = c{i}; {ddl}" for i, ddl in enumerate(CIRCLES.values()))
    with scratch.database(scratch_admin) as url:
        yield url, fill(url, "; ".join(schemas))


@pytest.mark.parametrize("name", CIRCLES)
def test_tables_in_a_circle_are_filled(circles: tuple[str, dict[str, str]], name: str) -> None:
    url, unfilled = circles
    schema = f"c{list(CIRCLES).index(name)}"
    assert unfilled == {}
    assert (count(url, f"{schema}.a"), count(url, f"{schema}.b")) == (20, 20)
    assert count(url, f"{schema}.b JOIN {schema}.a ON a.id = b.a") > 10


TENANTS = """
CREATE TABLE tenants (id uuid PRIMARY KEY);
CREATE TABLE users (tenant_id uuid NOT NULL REFERENCES tenants, id int NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE projects (tenant_id uuid NOT NULL REFERENCES tenants, id int NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE members (tenant_id uuid NOT NULL REFERENCES tenants, user_id int NOT NULL, project_id int,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users, FOREIGN KEY (tenant_id, project_id) REFERENCES projects,
    UNIQUE (tenant_id, user_id, project_id))
"""


def test_references_that_share_a_column_agree_on_it(database: str) -> None:
    assert fill(database, TENANTS) == {}
    assert count(database, "members") == 20
    assert count(database, "members WHERE project_id IS NOT NULL") > 2


REFUSED = {
    "a trigger that raises": (
        """CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not on a Sunday'; END $$;
        CREATE TABLE t (a int); CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()""",
        "not on a Sunday (PL/pgSQL function r0.no() line 1 at RAISE)"),
    "a trigger that skips": (
        """CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TABLE t (a int); CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()""",
        'the trigger "n" takes the rows away without an error'),
    "a rule": (
        "CREATE TABLE t (a int); CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING",
        'the rule "r" takes the rows away without an error'),
    "no partition": ("CREATE TABLE t (a int) PARTITION BY LIST (a)", "it has no partition that rows could go into"),
    "an impossible check": (
        "CREATE TABLE t (a int CONSTRAINT never CHECK (a > 5 AND a < 3) NOT NULL)", 'fits the conditions "never"'),
    "an enum without a label": (
        "CREATE TYPE nothing AS ENUM (); CREATE TABLE t (a nothing NOT NULL)",
        "no value is known for the column a of type r5.nothing"),
    "a function in a check": (
        """CREATE FUNCTION bad(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TABLE t (a int NOT NULL CONSTRAINT asked CHECK (bad(a)))""", 'fits the conditions "asked"'),
}  # fmt: skip


@pytest.fixture(scope="module")
def refused(scratch_admin: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A database with a schema for each table that cannot be filled, and what is said of them."""
    schemas = (f"CREATE SCHEMA r{i}; SET search_path = r{i}; {ddl}" for i, (ddl, _) in enumerate(REFUSED.values()))
    with scratch.database(scratch_admin) as url:
        yield url, fill(url, "; ".join((*schemas, "CREATE TABLE public.other (a int)")))


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_cannot_be_filled_is_named_with_the_reason(refused: tuple[str, dict[str, str]], name: str) -> None:
    url, unfilled = refused
    table = f"r{list(REFUSED).index(name)}.t"
    assert unfilled[table].endswith(REFUSED[name][1])
    assert count(url, table) == 0


def test_the_others_are_filled_all_the_same(refused: tuple[str, dict[str, str]]) -> None:
    url, unfilled = refused
    assert len(unfilled) == len(REFUSED)
    assert count(url, "other") == 20


def test_what_needs_rows_of_such_a_table_is_named_too_and_a_nullable_reference_stays_null(database: str) -> None:
    unfilled = fill(
        database,
        """CREATE TABLE t (a int PRIMARY KEY CHECK (a > 5 AND a < 3));
        CREATE TABLE needs (t int NOT NULL CONSTRAINT of_t REFERENCES t);
        CREATE TABLE may (t int REFERENCES t, b int)""",
    )
    assert list(unfilled) == ["public.needs", "public.t"]
    assert unfilled["public.needs"] == 'the foreign key "of_t" needs rows in public.t, which holds none'
    assert count(database, "may WHERE t IS NULL") == 20


def test_the_tables_of_alembic_and_of_the_toolkit_stay_empty(database: str) -> None:
    ddl = """CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); CREATE TABLE alembic_journal (id int);
    CREATE SCHEMA x; CREATE TABLE x.versions (version_num varchar(32) NOT NULL); CREATE TABLE alembic_identity (a int);
    CREATE TEMPORARY TABLE passing (a int); CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE t (a int)"""
    assert fill(database, ddl) == {}
    tables = ("alembic_version", "x.versions", "alembic_journal", "alembic_identity", "t")
    assert [count(database, table) for table in tables] == [0, 0, 0, 0, 20]


def test_only_the_tables_that_are_named_are_filled_and_a_partition_stands_for_its_whole(database: str) -> None:
    ask(database, "CREATE TABLE a (a int); CREATE TABLE b (a int); CREATE TABLE p (a int) PARTITION BY LIST (a)")
    ask(
        database,
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (7); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (8, 9)",
    )
    oids = [row[0] for row in ask(database, "SELECT oid::bigint FROM pg_class WHERE relname IN ('a', 'p2')")]
    with connected(database) as connection:
        assert Sampler(6).fill(connection, oids) == ()
    assert [count(database, table) for table in ("a", "b", "p")] == [6, 0, 6]
    assert min(count(database, "p1"), count(database, "p2")) > 0


def test_what_is_missing_is_added_and_what_is_there_stays(database: str) -> None:
    sampler = Sampler(10)
    assert (
        fill(database, "CREATE TABLE t (id int PRIMARY KEY, a text UNIQUE); INSERT INTO t VALUES (1, 'mine')", sampler)
        == {}
    )
    before = dump(database)["t"]
    assert len(before) == 10
    assert before[0] == "(1,mine)"
    assert fill(database, "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 4)", sampler) == {}
    assert len(dump(database)["t"]) == 10


def test_a_table_that_can_hold_two_rows_alone_gets_two_and_is_not_tried_again(database: str) -> None:
    sampler = Sampler()
    assert fill(database, "CREATE TABLE t (a boolean PRIMARY KEY)", sampler) == {}
    assert count(database, "t") == 2
    assert fill(database, "SELECT 1", sampler) == {}
    assert fill(database, "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD b int", sampler) == {}
    assert count(database, "t") == 20


class Statements(list[str]):
    """What a LoggingConnection writes."""

    write = list.append


def test_a_second_call_changes_nothing_and_asks_no_more_of_many_tables_than_of_few(database: str) -> None:
    sampler, asked = Sampler(), []
    for few, many in ((0, 3), (3, 60)):
        ddl = "; ".join(f"CREATE TABLE t{i} (id serial PRIMARY KEY, a text, b int)" for i in range(few, many))
        fill(database, ddl, sampler)
        before, seen = dump(database), Statements()
        with closing(psycopg2.connect(dsn(database), connection_factory=LoggingConnection)) as connection:
            connection.initialize(seen)
            assert sampler.fill_raw(connection) == ()
            assert connection.status == STATUS_READY
        assert dump(database) == before
        asked.append(len(seen))
    assert asked[0] == asked[1] > 0


MIXED = """
CREATE TYPE mood AS ENUM ('sad', 'calm');
CREATE TABLE a (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n serial,
    s text CHECK (s ~ '^[a-z]{2,9}$'), m mood, at timestamptz DEFAULT now());
CREATE TABLE b (id serial PRIMARY KEY, a uuid REFERENCES a, up int REFERENCES b,
    d daterange, x float8, j jsonb DEFAULT '[]',
    lo int, hi int, CHECK (lo < hi));
CREATE TABLE "Z z" (d date) PARTITION BY RANGE (d);
CREATE TABLE z1 PARTITION OF "Z z" FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE z2 PARTITION OF "Z z" DEFAULT
"""


def test_the_same_seed_gives_the_same_rows_whatever_the_object_identifiers_and_another_seed_others(
    scratch_admin: str,
) -> None:
    found = []
    for seed, before in ((3, ""), (3, "CREATE TABLE x (a int); DROP TABLE x;"), (4, "")):
        with scratch.database(scratch_admin) as url:
            assert fill(url, before + MIXED, Sampler(seed=seed)) == {}
            found.append(dump(url))
    assert found[0] == found[1]
    assert found[0]["a"] != found[2]["a"]


def test_the_other_version_of_the_server_gives_the_same_rows(scratch_admin: str, root: Path, pg: int) -> None:
    other = scratch.admin_url(root, scratch.EMBEDDED, major=16 if pg == 18 else 18)
    found = []
    for admin in (scratch_admin, other):
        with scratch.database(admin) as url:
            assert fill(url, MIXED) == {}
            found.append(dump(url))
    assert found[0] == found[1]


def test_a_column_that_was_added_gets_values_and_one_that_the_migration_filled_keeps_them(database: str) -> None:
    sampler = Sampler()
    fill(database, "CREATE TABLE t (id serial PRIMARY KEY, a text NOT NULL)", sampler)
    fill(
        database,
        """ALTER TABLE t ADD phone text, ADD status text NOT NULL DEFAULT 'new', ADD copy text, ADD n serial;
        UPDATE t SET copy = id""",
        sampler,
    )
    assert ask(database, "SELECT count(phone) BETWEEN 5 AND 19, count(DISTINCT status) > 3 FROM t") == [(True, True)]
    assert ask(database, "SELECT bool_and(copy = id::text), max(n) FROM t") == [(True, 20)]


def test_row_security_that_is_forced_on_the_owner_does_not_stop_it_and_stays(database: str) -> None:
    ask(
        database,
        """DO $$ BEGIN CREATE ROLE sample_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        GRANT CREATE ON SCHEMA public TO sample_owner""",
    )
    try:
        with connected(database) as connection:
            connection.execute(text("SET ROLE sample_owner"))
            connection.execute(text("CREATE TABLE t (a int, b int)"))
            connection.execute(text("ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"))
            connection.commit()
            sampler = Sampler()
            assert sampler.fill(connection) == ()
            assert sampler.fill(connection) == ()
        assert count(database, "t") == 20
        assert ask(database, "SELECT relforcerowsecurity FROM pg_class WHERE relname = 't'") == [(True,)]
    finally:
        ask(database, "DROP OWNED BY sample_owner")


def test_a_constraint_that_comes_later_meets_what_violates_it(database: str) -> None:
    fill(database, "CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE t (a int, b text, c int)")
    for later in (
        "ALTER a SET NOT NULL",
        "ADD UNIQUE (a)",
        "ADD CHECK (a > 0)",
        "ADD CHECK (b <> '')",
        "ALTER b TYPE integer USING b::integer",
        "ALTER b TYPE varchar(50)",
        "ALTER a TYPE smallint",
        "ADD FOREIGN KEY (c) REFERENCES p",
        "ADD EXCLUDE USING btree (b WITH =)",
    ):
        with pytest.raises(Exception, match=r"null|duplicat|violat|invalid|too long|out of range|exclusion"):
            ask(database, f"ALTER TABLE t {later}")
