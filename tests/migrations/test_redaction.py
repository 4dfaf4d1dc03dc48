import json
import re
import shlex
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.redaction import ORDINARY_WORDS, redact

PASSWORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.text("aZ09@/:?#&=%+'\"\\ ,.;[]{}$é\n\t", max_size=12),
    st.sampled_from(["p", "12", "5432", "5432/", "12,b", "it's", 'a"b', "100%", "a@h/x", "a b@c d", "x\\'y"]),
)
ON_ONE_LINE = PASSWORDS.filter(lambda password: not any(c in password for c in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "postgresql://localhost:5432/massacorp is down",
        "postgresql://app@db.example:5432/massacorp?sslmode=require",
        "postgresql+psycopg2:///massacorp?host=a:1&host=b:2",
        "postgresql://[::1]:5432/massacorp",
        'FATAL:  password authentication failed for user "app"',
        "wrong password: the server at https://example.org:8080/path did not accept it",
        "lock_timeout=250ms after 10:30, see app@example.org",
        "column users.password_hash is of type text",
        "sslmode=require host=db user=app",
    ],
)
def test_leaves_a_text_without_secrets_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("postgresql://app:s3cret@db/x", "postgresql://app:***@db/x"),
        ("postgresql://app:@db/x", "postgresql://app:***@db/x"),
        ("postgres://:s3cret@db/x", "postgres://:***@db/x"),
        ("postgresql://app:a@b@db/x", "postgresql://app:***@db/x"),
        ("postgresql://app:a/b:c@db/x", "postgresql://app:***@db/x"),
        ("postgresql://app:a b@c d@db/x is down", "postgresql://app:***@db/x is down"),
        ("postgresql://app:a\nb@db/x\nis down", "postgresql://app:***@db/x\nis down"),
        ("postgresql://u:p@h1/x or postgresql://u:q@h2/x", "postgresql://u:***@h1/x or postgresql://u:***@h2/x"),
        ("https://token:s3cret@example.org/", "https://token:***@example.org/"),
        ("postgresql://db/x?user=a&password=s3cret&port=1", "postgresql://db/x?user=a&password=***&port=1"),
        ("postgresql://db/x?sslpassword=s3cret", "postgresql://db/x?sslpassword=***"),
        ("host=db password=s3cret user=app", "host=db password=*** user=app"),
        ("host=db password = s3cret user=app", "host=db password =*** user=app"),
        ("host=db password= user=app", "host=db password=*** user=app"),
        (r"host=db password='it\'s one' user=app", "host=db password=*** user=app"),
        ("PGPASSWORD=s3cret pg_dump", "PGPASSWORD=*** pg_dump"),
        ("pg_dump --password=s3cret", "pg_dump --password=***"),
        ("{'password': 's3cret', 'user': 'app'}", "{'password': ***, 'user': 'app'}"),
        ('{"PGPASSWORD": "s3\\"cret"}', '{"PGPASSWORD": ***}'),
        ("ALTER ROLE app PASSWORD 'it''s' LOGIN", "ALTER ROLE app PASSWORD *** LOGIN"),
        ('invalid percent-encoded token: "%zz"', 'invalid percent-encoded token: "***"'),
        ('missing "=" after "s3cret" in connection info string', 'missing "=" after "***" in connection info string'),
    ],
)
def test_hides_the_password_of(text: str, safe: str) -> None:
    assert redact(text) == safe
    assert redact(safe) == safe


def as_repr(password: str) -> str:
    return f"connect({ {'user': 'app', 'password': password, 'host': 'db'} }) failed"


STRUCTURES: dict[str, Callable[[str], str]] = {
    "an encoded URL": lambda p: f"cannot reach postgresql://app:{quote(p, safe='')}@db:5432/x, see app@example.org",
    "an encoded query": lambda p: f"postgresql:///x?host=db&password={quote(p, safe='')}&user=app failed",
    "a keyword string": lambda p: "host=db password='{}' user=app".format(p.replace("\\", "\\\\").replace("'", "\\'")),
    "a representation": as_repr,
    "a JSON document": lambda p: json.dumps({"password": p, "user": "app"}),
}


@pytest.mark.parametrize("write", STRUCTURES.values(), ids=STRUCTURES)
def test_any_password_comes_out_the_same_in(write: Callable[[str], str]) -> None:
    @given(PASSWORDS)
    def any_password(password: str) -> None:
        assert redact(write(password)) == redact(write("s3cret"))

    any_password()


@given(ON_ONE_LINE.filter(lambda password: "://" not in password))
def test_any_password_comes_out_the_same_raw_in_a_url(password: str) -> None:
    text = "cannot reach postgresql://app:{}@db.example:5432/x?sslmode=require: timeout"
    assert (
        redact(text.format(password)) == "cannot reach postgresql://app:***@db.example:5432/x?sslmode=require: timeout"
    )


@given(ON_ONE_LINE.filter(lambda password: "\\" not in password))
def test_any_password_comes_out_the_same_in_a_command(password: str) -> None:
    assert redact(f"PGPASSWORD={shlex.quote(password)} pg_dump") == "PGPASSWORD=*** pg_dump"


@given(PASSWORDS)
def test_a_known_password_is_hidden_in_a_url_even_when_raw_and_over_lines(password: str) -> None:
    text = f"cannot reach postgresql://app:{password}@db:5432/x\nserver: down"
    if password:
        assert redact(text, [password]) == "cannot reach postgresql://app:***@db:5432/x\nserver: down"


FREE: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent-encoded": lambda p: quote(p, safe=""),
    "percent-encoded in lower case": lambda p: re.sub("%..", lambda found: found[0].lower(), quote(p, safe="")),
    "as Python writes it": lambda p: repr(p)[1:-1],
    "as JSON writes it": lambda p: json.dumps(p)[1:-1],
    "as a shell needs it": shlex.quote,
}


@pytest.mark.parametrize("write", FREE.values(), ids=FREE)
def test_a_known_long_password_is_hidden_where_it_stands_free(write: Callable[[str], str]) -> None:
    @given(st.text("bcd09@/:?&=%'\"\\ é\n", min_size=6, max_size=12))
    def any_password(password: str) -> None:
        assert redact(f"<<{write(password)}>>", [password]) == "<<***>>"

    any_password()


@pytest.mark.parametrize("secret", ["a", "prod", "port", *sorted(ORDINARY_WORDS)])
def test_a_known_password_that_is_a_word_does_not_black_out_the_text(secret: str) -> None:
    text = f"a database of prod on port 5432: password authentication failed for postgres, {secret}"
    assert redact(text, [secret]) == text
    assert redact(f"postgresql://app:{secret}@db/x", [secret]) == "postgresql://app:***@db/x"


def test_a_known_password_of_letters_is_hidden_as_a_word_alone() -> None:
    assert redact("massacorp and massacorp_test", ["massacorp"]) == "*** and massacorp_test"


@given(st.text("ab:/@?&='\"\\ \npostgresql://password=", max_size=60), st.lists(PASSWORDS, max_size=2))
def test_redacting_never_fails(text: str, secrets: list[str]) -> None:
    assert isinstance(redact(text, secrets), str)


def test_a_long_log_is_redacted_in_a_moment() -> None:
    log = "".join(f"postgresql://app:s{n}@db/x line {n} password=s{n}\n" for n in range(5000)) + "x" * 100_000
    assert "s4999" not in redact(log)
