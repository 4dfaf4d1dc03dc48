"""What the doctor decides on facts alone: servers that cannot be had here, the order of cures, halves of a revision."""

import pytest

from app.migrations import ailments, environment_checks, index_symptoms, repair
from app.migrations.catalog import Catalog, Key
from app.migrations.diagnosis import Finding, exit_code
from app.migrations.halfway import Extent, decide, rows_after
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.identity import Standing, Verdict
from app.migrations.repair import Kind
from app.migrations.symptoms import (
    Blocking,
    Code,
    Database,
    InvalidIndex,
    Migration,
    Reach,
    Server,
    Symptoms,
    Trace,
    VersionTable,
)

LINE = History([Revision("a"), Revision("b", ("a",)), Revision("c", ("b",))])
SERVER = Server(180000, "me", "app", standby=False, read_only="", search_path="public", path_set_by="default",
                creates_in="public", home="public")  # fmt: skip
WELL = Database(SERVER, Verdict(Standing.OURS), tables=(VersionTable("public", ("c",), True, True, 3),), filled=("t",))
REACH = Reach("prod", "dbname='app'")
BEGUN = Trace("b", "upgrade", "2026-01-01 00:00 UTC", "me@here", None, False, True)
INDEX = InvalidIndex(1, "public.ix", "public.t", "ix ON public.t", "CREATE INDEX ix ON public.t (a)", False)


def found(database: Database | None, history: History = LINE) -> list[Finding]:
    return list(ailments.diagnose(Symptoms(REACH, Code(history), database=database)))


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found(WELL) == []
    assert exit_code(()) == 0


def test_a_server_that_is_too_old_is_named_with_what_is_needed() -> None:
    (one,) = found(Database(SERVER._replace(version=130012)))
    assert one.cause == "the server is PostgreSQL 13.12; these tools need 14 or newer"
    assert (one.command, one.decide) == ("", "upgrade the server to PostgreSQL 14 or newer (pg_upgrade)")
    assert environment_checks.OLDEST_SUPPORTED == 14


def test_a_standby_is_named() -> None:
    (one,) = found(WELL._replace(server=SERVER._replace(standby=True)))
    assert (one.case, one.command) == ("standby", "")
    assert one.decide == "name the primary in DATABASE_URL, or promote this one (pg_promote())"


@pytest.mark.parametrize(
    ("source", "reset"),
    [
        ("user", 'ALTER ROLE "me" RESET default_transaction_read_only'),
        ("database user", 'ALTER ROLE "me" IN DATABASE "app" RESET default_transaction_read_only'),
        ("configuration file", ""),
        ("client", ""),
    ],
)
def test_writing_is_switched_on_where_it_was_switched_off(source: str, reset: str) -> None:
    (one,) = found(WELL._replace(server=SERVER._replace(read_only=source)))
    assert (reset in one.command) if reset else not one.command
    assert one.decide.startswith("see who has switched writing off, and why")


def test_while_a_migration_runs_what_it_leaves_in_between_is_no_disease() -> None:
    busy = WELL._replace(
        migration=Migration(Blocking("somebody", "SELECT 1")), begun=(BEGUN,), invalid=(INDEX,), filled=(),
        tables=(VersionTable("public", (), True, True, 0),),
    )  # fmt: skip
    assert [one.case for one in found(busy)] == ["migration-running"]
    assert {one.case for one in found(busy._replace(migration=None))} == {"invalid-index", "half-applied", "empty"}


def test_a_prepared_transaction_is_ended_by_a_person() -> None:
    (one,) = found(WELL._replace(prepared=(Blocking("prepared transaction 'x'", "ROLLBACK PREPARED 'x'"),)))
    assert one.command == """psql -X 'dbname='"'"'app'"'"'' -c 'ROLLBACK PREPARED '"'"'x'"'"''"""
    assert one.decide == "make sure that nobody needs it: its work is undone"


def test_schemas_of_tenants_with_version_tables_of_their_own_are_no_disease() -> None:
    others = (VersionTable("tenant_1", ("a",), False, False, 3), VersionTable("tenant_2", ("b",), False, False, 3))
    assert found(WELL._replace(tables=(*WELL.tables, *others))) == []


def test_a_version_table_in_front_of_tables_of_another_schema_is_no_disease() -> None:
    server = SERVER._replace(creates_in="app", search_path="app, public")
    assert found(WELL._replace(server=server, filled=("app.t", "public.u"))) == []


def test_an_unreachable_database_alone_has_a_code_of_its_own() -> None:
    one, other = Finding("unreachable", "x"), Finding("cycle", "y")
    assert [exit_code(each) for each in ((one,), (one, other), (other,))] == [4, 1, 1]


@pytest.mark.parametrize(
    ("name", "bound", "wanted", "kind"),
    [
        ("public.ix_ccnew", False, None, Kind.DROP),
        ('public."Ix_ccold12"', True, None, Kind.DROP),
        ("public.ix", True, None, Kind.REBUILD),
        ("public.ix", False, Catalog({Key("index", "ix ON public.t"): {}}, {}, 18), Kind.REBUILD),
        ("public.ix", False, Catalog({}, {}, 18), Kind.DROP),
    ],
)
def test_an_invalid_index_is_dropped_unless_somebody_needs_it(
    name: str, bound: bool, wanted: Catalog | None, kind: Kind
) -> None:
    decided = repair.decide(INDEX._replace(name=name, bound=bound), wanted, "why")
    assert isinstance(decided, repair.Action)
    assert decided.kind is kind


def test_an_invalid_index_of_an_unknown_history_is_left_alone() -> None:
    said = repair.decide(INDEX, None, "feed is not known")
    assert said == (
        "whether index public.ix is meant cannot be told (feed is not known): DROP INDEX CONCURRENTLY public.ix if a "
        "later revision makes it, else REINDEX INDEX CONCURRENTLY public.ix"
    )
    assert not index_symptoms.is_leftover(INDEX)


def schema(*names: str) -> Catalog:
    return Catalog({Key("table", f"public.{name}"): {"owner": "me"} for name in names}, {}, 18)


@pytest.mark.parametrize(
    ("before", "after", "seen", "extent"),
    [
        (schema("t"), schema("t", "u", "v"), schema("t"), Extent.NOTHING),
        (schema("t"), schema("t", "u", "v"), schema("t", "u", "v"), Extent.WHOLE),
        (schema("t"), schema("t", "u", "v"), schema("t", "u"), Extent.PART),
        (schema("t"), schema("t", "u", "v"), schema("t", "drift"), Extent.NOTHING),
        (schema("t"), schema("t"), schema("drift"), Extent.NO_OBJECTS),
    ],
    ids=["nothing", "whole", "part", "drift elsewhere", "only rows"],
)
def test_halves_are_told_by_the_objects_that_a_revision_touches(
    before: Catalog, after: Catalog, seen: Catalog, extent: Extent
) -> None:
    assert decide(BEGUN, before, after, seen).extent is extent


@pytest.mark.parametrize(
    ("rows", "revision", "direction", "after"),
    [
        (("a",), "b", "upgrade", ("b",)),
        ((), "a", "upgrade", ("a",)),
        (("c",), "b", "upgrade", ("c",)),
        (("b",), "b", "downgrade", ("a",)),
        (("a",), "a", "downgrade", ()),
        (("a",), "b", "downgrade", ("a",)),
    ],
    ids=["next", "first", "long past", "one down", "to the base", "undone already"],
)
def test_the_rows_after_a_step_are_those_that_alembic_would_write(
    rows: tuple[str, ...], revision: str, direction: str, after: tuple[str, ...]
) -> None:
    assert rows_after(LINE, rows, BEGUN._replace(revision=revision, action=direction)) == after
