from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import make_dsn, parse_dsn
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from app.migrations.errors import ConfigurationError
from app.migrations.urls import described, embedded_name, normalise, parse, same, to_libpq

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


def told_to_psycopg2(url: str) -> dict[str, str]:
    """The keywords that SQLAlchemy hands to psycopg2."""
    dialect: Any = PGDialect_psycopg2
    _, keywords = dialect().create_connect_args(make_url(normalise(url)))
    return {key: str(value) for key, value in keywords.items()}


NORMAL = {
    "postgresql://app@db:5433/x": "postgresql+psycopg2://app@db:5433/x",
    "postgres://app@db/x": "postgresql+psycopg2://app@db/x",
    "postgresql+psycopg2://app@db/x": "postgresql+psycopg2://app@db/x",
    "PostgreSQL://db/x\n": "postgresql+psycopg2://db/x",
    "postgresql://": "postgresql+psycopg2:///",
    "postgresql://a:1,b:2/x": "postgresql+psycopg2:///x?host=a:1&host=b:2",
    "postgresql://app:p%40@a:1,b:2/x?sslmode=require": "postgresql+psycopg2://app:p%40@/x?host=a:1&host=b:2&sslmode=require",
    "postgresql:///x?host=a:1&host=b:2": "postgresql+psycopg2:///x?host=a:1&host=b:2",
    "postgresql:///x?host=a,b&port=5433": "postgresql+psycopg2:///x?host=a:5433&host=b:5433",
    "postgresql://[::1]:5433/x": "postgresql+psycopg2://[::1]:5433/x",
    "postgresql://[::1]:1,b:2/x": "postgresql+psycopg2:///x?host=::1,b&port=1,2",
    "postgresql:///x?host=/run/pg&port=5433": "postgresql+psycopg2:///x?host=/run/pg&port=5433",
    "postgresql://%2Frun%2Fpg/x": "postgresql+psycopg2:///x?host=/run/pg",
    "postgresql://db?dbname=x&user=app&password=p": "postgresql+psycopg2://app:p@db/x",
    "postgresql://db/x?ssl=true": "postgresql+psycopg2://db/x?sslmode=require",
    "postgresql://app:100%@db/x": "postgresql+psycopg2://app:100%25@db/x",
    "embedded:///massacorp": "embedded:///massacorp",
}


@pytest.mark.parametrize(("url", "normal"), NORMAL.items())
def test_normalises(url: str, normal: str) -> None:
    assert normalise(url) == normal
    assert normalise(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:p%25%40w@db/x",
        "postgresql://a:1,b:2/x?target_session_attrs=read-write",
        "postgresql://a,b:2,c/x",
        "postgresql://[::1]:5433/x",
        "postgresql://[::1],b:2/x",
        "postgresql://[fe80::1%25eth0]/x",
        "postgresql:///x",
        "postgresql:///x?host=/run/pg",
        "postgresql://%2Frun%2Fpg:5433/x",
        "postgresql://:5433/x",
        "postgresql://?service=prod",
        "postgresql://db/a%2Fb%3Fc%20d%25",
        "postgresql://db/x?options=-c%20search_path%3Da%2Cb&application_name=a+b&connect_timeout=3",
        "postgresql://db/x?hostaddr=10.0.0.1&sslmode=verify-full&sslrootcert=/etc/a%20b.crt",
    ],
)
def test_sqlalchemy_tells_libpq_what_libpq_reads(url: str) -> None:
    expected = parse_dsn(url)
    told = told_to_psycopg2(url)
    if not expected.get("port", "").strip(","):
        assert not told.pop("port", "").strip(","), "libpq takes an empty port for its default"
        expected.pop("port", None)
    assert told == expected


@given(user=TEXT, password=TEXT, database=TEXT, name=TEXT)
def test_any_name_and_password_arrive_unchanged(user: str, password: str, database: str, name: str) -> None:
    encoded = [quote(text, safe="") for text in (user, password, database, name)]
    url = "postgresql://{}:{}@db:5433/{}?application_name={}".format(*encoded)
    wanted = {"user": user, "password": password, "dbname": database, "application_name": name}
    assert told_to_psycopg2(url) == {**wanted, "host": "db", "port": "5433"}
    assert normalise(normalise(url)) == normalise(url)
    conninfo, environment = to_libpq(url)
    del wanted["password"]
    assert parse_dsn(conninfo) == {**wanted, "host": "db", "port": "5433"}
    assert environment == {"PGPASSWORD": password}


@pytest.mark.parametrize("url", [url for url in NORMAL if not url.startswith("embedded")])
def test_pg_dump_reaches_what_sqlalchemy_reaches(url: str) -> None:
    conninfo, environment = to_libpq(url)
    told = {key: value for key, value in told_to_psycopg2(url).items() if value.strip(",")}
    assert parse_dsn(make_dsn(conninfo, password=environment.get("PGPASSWORD"))) == told


def test_nothing_secret_goes_into_the_arguments_of_pg_dump() -> None:
    with pytest.raises(ConfigurationError, match="sslpassword") as caught:
        to_libpq("postgresql://db/x?sslpassword=s3cret")
    assert "s3cret" not in str(caught.value)


ACCEPTED = "accepted: postgresql://USER@HOST:5432/DATABASE, embedded:///NAME"
SCHEMES = "accepted: postgresql://, postgres://, postgresql+psycopg2://, embedded://"
TWO_WAYS = "can be read in two ways; in user, password and database write %40 for @, %2F for /, %3F for ?"
EMBEDDED = (
    "does not name a database of the private server; accepted: embedded:///NAME, NAME being up to 63 letters, "
    "digits, _ and -, the first a letter"
)
WRONG = {
    "": f"is empty; {ACCEPTED}",
    "s3cret": f"has no scheme; {ACCEPTED}",
    "app:s3cret@db/x": f"has no scheme; {ACCEPTED}",
    "host=db password=s3cret": f"is a keyword string, not a URL; {ACCEPTED}",
    "mysql://app:s3cret@db/x": f"has the scheme mysql://; {SCHEMES}",
    "postgresql+asyncpg://app:s3cret@db/x": f"has the scheme postgresql+asyncpg://; {SCHEMES}",
    "sqlite:///s3cret.db": f"has the scheme sqlite://; {SCHEMES}",
    "embedded:///": EMBEDDED,
    "embedded://": EMBEDDED,
    "embedded:massacorp": EMBEDDED,
    "embedded:///a/b": EMBEDDED,
    "embedded:///s3cret?x=1": EMBEDDED,
    f"embedded:///{'a' * 64}": EMBEDDED,
    "embedded:///template1": "names template1, which belongs to the server itself; accepted: any other name",
    "postgresql://app:s3@cret@db/x": TWO_WAYS,
    "postgresql://app:s3/cret@db/x": TWO_WAYS,
    "postgresql://app:12/s3cret@db/x": TWO_WAYS,
    "postgresql://app:s3?cret@db/x": TWO_WAYS,
    "postgresql://app:s3\ncret@db/x": "holds a line break, a control character or bytes that are not UTF-8; "
    "write them as %XX",
    "postgresql://app:s3cret%00@db/x": "holds %00, which PostgreSQL cannot take",
    "postgresql://app:s3cret%E9@db/x": "holds percent-encoded bytes that are not UTF-8",
    "postgresql://db:s3cret/x": "has a port that is not a number, or an IPv6 address without []; in passwords "
    "write %2F for /",
    "postgresql://db:65536/x": "has a port that is none; accepted: 1 to 65535",
    "postgresql://a:1,b:2/x?host=c": "has 1 hosts and 2 ports; accepted: one port for all, or one for each",
    "postgresql://a,,b/x": "has an empty host among several; accepted: a host or a socket folder for each",
    "postgresql://db/x?s3cret": "has a parameter that is not name=value after its ?; write %3D for =, %26 for &",
}


@pytest.mark.parametrize(("url", "message"), WRONG.items())
def test_refuses_and_says_what_is_accepted(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        normalise(url, "envs/dev.env:2: DATABASE_URL", "edit envs/dev.env line 2")
    assert caught.value.message == f"envs/dev.env:2: DATABASE_URL {message}"
    assert caught.value.hint == "edit envs/dev.env line 2"


@given(st.text("ab1@/:?#&=%[],+ \n", max_size=30))
def test_any_text_is_a_url_or_an_error_of_ours(rest: str) -> None:
    try:
        normal = normalise(f"postgresql://{rest}")
    except ConfigurationError:
        return
    assert normalise(normal) == normal
    assert described(normal)


@given(st.text("xyz@/:?#&=%[], ", max_size=9), st.sampled_from(["postgresql", "mysql", "embedded"]))
def test_no_error_shows_a_piece_of_the_password(password: str, scheme: str) -> None:
    try:
        normalise(f"{scheme}://app:{password}XYZZY{password}@db/q")
    except ConfigurationError as error:
        shown = str(error)
    else:
        shown = described(f"{scheme}://app:{password}XYZZY{password}@db/q")
    assert "XYZZY" not in shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://db/x", "postgres://DB:5432/x"),
        ("postgresql://app:one@db/x", "postgresql+psycopg2://app:two@db/x?sslmode=require"),
        ("postgresql://a,b/x", "postgresql:///x?host=b:5432&host=a:5432"),
        ("postgresql:///x?host=/run/pg/", "postgresql://%2Frun%2Fpg/x"),
        ("postgresql://app@db", "postgresql://app@db/app"),
        ("postgresql:///x", "postgresql://:5432/x"),
        ("embedded:///x", "embedded:///x"),
    ],
)
def test_means_the_same_database(one: str, other: str) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://db/x", "postgresql://db/y"),
        ("postgresql://db/x", "postgresql://db/X"),
        ("postgresql://db/x", "postgresql://db:5433/x"),
        ("postgresql://db/x", "postgresql://other/x"),
        ("postgresql://a,b/x", "postgresql://a/x"),
        ("postgresql://one@db/x", "postgresql://two@db/x"),
        ("postgresql://db/x", "postgresql://app@db/x"),
        ("postgresql:///?service=one", "postgresql:///?service=two"),
        ("postgresql:///x", "embedded:///x"),
        ("postgresql://localhost/x", "postgresql://127.0.0.1/x"),
    ],
)
def test_means_another_database(one: str, other: str) -> None:
    assert not same(one, other)
    assert not same(other, one)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://app:s3cret@db/x", 'database "x" on db:5432 as user "app"'),
        ("postgresql://a:1,[::1]:2/x", 'database "x" on a:1, [::1]:2'),
        ("postgresql:///x?host=/run/pg", 'database "x" on the socket /run/pg/.s.PGSQL.5432'),
        ("postgresql://:5433/x", 'database "x" on the default host:5433'),
        ("postgresql://", "the default database on the default server"),
        ("postgresql://?service=prod", 'the default database of service "prod"'),
        ("postgresql://db/a%0Ab", 'database "a\\nb" on db:5432'),
        ("embedded:///x", 'database "x" on the private server'),
    ],
)
def test_describes(url: str, words: str) -> None:
    assert described(url) == words


def test_names_the_database_of_an_embedded_url_alone() -> None:
    assert embedded_name("embedded:///x") == "x"
    assert embedded_name("postgresql:///x") is None
    with pytest.raises(ValueError, match="embedded"):
        parse("embedded:///x")
