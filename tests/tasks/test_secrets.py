"""No output depends on a password: two runs that differ in it alone print the same bytes and end the same."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clones import Clone, Done, copy_tree
from tests.console import Console

pytestmark = pytest.mark.slow

OTHER = "another-Passw0rd"
PASSWORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda text: text != "right"
)
PATHS = {
    "unreachable": (("db.upgrade", "--env=docker"), "postgresql://me:{}@127.0.0.1:1/app", 4),
    "no such host": (("db.status", "--env=docker"), "postgresql://me:{}@no-such-host.invalid/app", 4),
    "wrong password": (("db.upgrade", "--env=docker"), "{scram}", 4),
    "wrong password, claimed": (("env.claim", "--env=docker"), "{scram}", 4),
    "no URL": (("db.upgrade", "--env=docker"), "postgresql://me:{}@127.0.0.1:no-port/app", 2),
    "another scheme": (("db.upgrade", "--env=docker"), "mysql://me:{}@127.0.0.1/app", 2),
    "password in the query": (("env.check", "--env=docker"), "postgresql://me@127.0.0.1:1/app?password={}", 4),
    "conflict": (("db.downgrade", "--env=dev"), "postgresql://me:{}@127.0.0.1:1/app", 2),
    "env.show": (("env.show", "prod"), "postgresql://me:{}@127.0.0.1:1/app", 0),
    "env.show as a document": (("env.show", "prod", "--json"), "{scram}", 0),
    "env.list": (("env.list",), "{scram}", 0),
    "env.list as a document": (("env.list", "--json"), "{scram}", 0),
    "env.check": (("env.check", "--env=prod"), "{scram}", 4),
    "env.check as a document": (("env.check", "--env=prod", "--json"), "{scram}", 4),
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with Console(Clone(copy_tree(tmp_path_factory.mktemp("secrets") / "clone"))) as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=PASSWORDS)
def test_the_output_is_the_same_whatever_the_password(console: Console, scram: str, path: str, password: str) -> None:
    words, url, code = PATHS[path]
    url = scram if url == "{scram}" else url
    one, other = (console.inv(*words, DATABASE_URL=url.replace("{}", quote(p, safe=""))) for p in (password, OTHER))
    assert one == other
    assert one.code == code, one
    assert OTHER not in one.out + one.err
    assert "Traceback" not in one.err


@pytest.mark.parametrize(
    "words", [("env.show", "prod"), ("env.check", "--env=prod"), ("env.list", "--offline")], ids=str
)
def test_nor_whatever_stands_in_a_local_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    clone = Clone(copy_tree(tmp_path / "clone"))
    shown: list[Done] = []
    with Console(clone) as console:
        for password in ("s3cret%20w0rd", OTHER):
            (clone.folder / "envs/prod.local.env").write_text(
                f"DATABASE_URL=postgresql://me:{password}@127.0.0.1:1/a\n"
            )
            shown.append(console.inv(*words))
    assert shown[0] == shown[1]
    assert OTHER not in shown[0].out + shown[0].err
    assert "Traceback" not in shown[0].err


def test_the_right_password_connects(console: Console, scram: str) -> None:
    assert console.inv("db.status", "--env=docker", DATABASE_URL=scram.replace("{}", "right")).code == 0
