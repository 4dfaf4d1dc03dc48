"""What a dump does not hold, given to a new database: written out, then asked back from a real one."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations import contents
from app.migrations.database_settings import Grant, parse_grant, roles, statements
from app.migrations.manifest import DatabaseSettings, Setting
from app.migrations.quoting import literal, quoted
from app.migrations.redaction import HIDDEN
from tests.migrations.chains import ask, dsn

PLAIN = DatabaseSettings("own", None, None, -1, (), "UTF8", "c", "C", "C", None, "pg_default")


def test_a_database_without_anything_special_only_gets_its_owner() -> None:
    assert statements("MassaCorp", PLAIN) == ['ALTER DATABASE "MassaCorp" OWNER TO "own"']


def test_what_was_revoked_from_everybody_stays_revoked() -> None:
    assert statements("a", PLAIN._replace(acl=()))[1:] == [
        'REVOKE ALL ON DATABASE "a" FROM PUBLIC',
        'REVOKE ALL ON DATABASE "a" FROM "own"',
    ]


def test_a_hidden_value_is_left_out() -> None:
    assert len(statements("a", PLAIN._replace(settings=(Setting(None, "app.password", HIDDEN),)))) == 1


def test_nobody_passes_on_what_they_have_not_got_yet() -> None:
    acl = ("c=c/b", "b=c*/a", "a=c*/own", "own=CTc/own")
    made = statements("d", PLAIN._replace(acl=acl))
    given = [line for line in made if line.startswith("GRANT CONNECT")]
    assert [line.split(" TO ")[1] for line in given] == [
        '"a" WITH GRANT OPTION',
        '"own"',
        '"b" WITH GRANT OPTION',
        '"c"',
    ]
    assert made[made.index(given[-1]) - 1] == 'SET LOCAL ROLE "b"'


def test_all_roles_are_named() -> None:
    wanted = PLAIN._replace(acl=("=c/own", '"a b"=c/gr'), settings=(Setting("r", "work_mem", "1MB"),))
    assert roles(wanted) == {"own", "a b", "gr", "r"}


@pytest.mark.parametrize(
    ("item", "grant"),
    [
        ("=Tc/own", Grant("", "Tc", "own")),
        ("own=C*T*c*/own", Grant("own", "C*T*c*", "own")),
        ('"a ""b"" =c/d"=c/"É"', Grant('a "b" =c/d', "c", "É")),
    ],
)
def test_an_aclitem_is_read(item: str, grant: Grant) -> None:
    assert parse_grant(item) == grant


@pytest.mark.parametrize("item", ["", "own", "own=c", "own=c/"])
def test_anything_else_is_not(item: str) -> None:
    with pytest.raises(ValueError, match="no aclitem"):
        parse_grant(item)


def test_a_backslash_means_itself() -> None:
    assert literal("a'b\\c") == " E'a''b\\\\c'"


@pytest.fixture
def three(database: str) -> Iterator[list[str]]:
    """Roles with names that have to be quoted; they go with the test."""
    token = database.rpartition("_")[2].partition("?")[0]
    names = [f'{token} "o" é', f"{token}_Reader", f"{token}_x"]
    for name in names:
        ask(database, f"CREATE ROLE {quoted(name)}")
    yield names
    for name in names:
        ask(database, f"DROP OWNED BY {quoted(name)}")
        ask(database, f"REASSIGN OWNED BY {quoted(name)} TO postgres")
    for name in names:
        ask(database, f"DROP ROLE {quoted(name)}")


def of(url: str) -> DatabaseSettings:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return contents.settings(connection)


def test_a_real_database_has_afterwards_what_the_other_one_had(database: str, three: list[str]) -> None:
    owner, reader, other = three
    name = str(ask(database, "SELECT current_database()")[0][0])
    acl = (
        f"={'Tc'}/{_item(owner)}",
        f"{_item(owner)}=CTc/{_item(owner)}",
        f"{reader}=c*/{_item(owner)}",
        f"{other}=c/{reader}",
    )
    wanted = of(database)._replace(
        owner=owner,
        acl=acl,
        comment='it\'s a \\ "comment"\nof two lines, é',
        connection_limit=17,
        settings=(
            Setting(None, "DateStyle", "ISO, DMY"),
            Setting(None, "app.name", "x'y\\z"),
            Setting(None, "search_path", '"$user", public, "a, ""b"""'),
            Setting(None, "work_mem", "5MB"),
            Setting(reader, "search_path", '""'),
        ),
    )
    with closing(psycopg2.connect(dsn(database))) as connection, connection.cursor() as cursor:
        for statement in statements(name, wanted):
            cursor.execute(statement)
        connection.commit()
    seen = of(database)
    assert (set(seen.acl or ()), set(seen.settings)) == (set(acl), set(wanted.settings))
    assert seen._replace(acl=None, settings=()) == wanted._replace(acl=None, settings=())


def _item(role: str) -> str:
    return quoted(role)
