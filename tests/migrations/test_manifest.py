"""A manifest says the same before and after it was bytes, and no other bytes are one."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.errors import ConfigurationError
from app.migrations.manifest import Manifest, Proof, SequencePosition, Setting, parse, render
from app.migrations.redaction import HIDDEN
from tests.migrations.kept_backups import PROOF, SAMPLE

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
COUNTS = st.integers(0, 2**63)


def sealed(document: dict[str, Any]) -> bytes:
    """Bytes whose checksum is right, whatever they say."""

    def dumped(value: dict[str, Any]) -> bytes:
        return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()

    body = {key: value for key, value in document.items() if key != "checksum"}
    return dumped(body | {"checksum": sha256(dumped(body)).hexdigest()})


def document(**changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(render(SAMPLE))
    return read | changes


@given(
    database=WORDS,
    revisions=st.lists(WORDS).map(tuple),
    rows=st.dictionaries(WORDS, COUNTS),
    sequences=st.dictionaries(WORDS, st.builds(SequencePosition, st.integers(-(2**63), 2**63), st.booleans())),
    seconds=st.floats(0, 1e9),
    git_dirty=st.none() | st.booleans(),
    proof=st.none() | st.just(PROOF),
)
def test_what_was_written_is_read(**changes: Any) -> None:
    manifest = replace(SAMPLE, **changes)
    assert parse(render(manifest), "x") == manifest


def test_rendering_does_not_depend_on_the_order_of_mappings() -> None:
    turned = replace(SAMPLE, rows=dict(reversed(list(SAMPLE.rows.items()))))
    assert render(turned) == render(SAMPLE)


def test_a_name_that_is_not_utf_8_survives_and_the_file_is_utf_8() -> None:
    manifest = replace(SAMPLE, database=b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert parse(render(manifest), "x") == manifest
    render(manifest).decode()


def test_no_bit_of_it_can_flip() -> None:
    data = render(replace(SAMPLE, proof=PROOF))
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        with pytest.raises(ConfigurationError):
            parse(flipped, "x")


def test_it_cannot_be_cut_anywhere() -> None:
    data = render(SAMPLE)
    for length in range(len(data)):
        with pytest.raises(ConfigurationError):
            parse(data[:length], "x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " + render(SAMPLE),
        render(SAMPLE).replace(b'"environment": "prod"', b'"environment": "prod", "environment": "prod"'),
        render(SAMPLE).replace(b"prod", b"test"),
    ],
    ids=["empty", "null", "list", "nothing", "no text", "deep", "a space before", "a key twice", "another word"],
)
def test_other_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(data, "backups/prod/x/manifest.json")
    assert raised.value.message == (
        "backups/prod/x/manifest.json is damaged: its bytes are not those that were written, so its backup is "
        "not to be trusted"
    )
    assert raised.value.hint == "inv db.backups --check"


def test_a_newer_format_says_so() -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(sealed(document(format=2)), "x/manifest.json")
    assert raised.value.message == (
        "x/manifest.json is of format 2, written by a newer version of these tools; this one reads 1"
    )
    assert raised.value.hint == "git pull"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 0},
        {"format": "1"},
        {"format": True},
        {"rows": {"a": "1"}},
        {"rows": {"a": True}},
        {"rows": []},
        {"files": [{"name": "a"}]},
        {"files": {}},
        {"settings": None},
        {"seconds": 2},
        {"seconds": None},
        {"started_at": "yesterday"},
        {"started_at": "2026-11-22T10:15:30"},
        {"proof": {}},
        {"one_more": 1},
    ],
    ids=str,
)
def test_sealed_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="these tools did not write it"):
        parse(sealed(document(**changes)), "x")


def test_sealing_itself_is_not_what_is_refused() -> None:
    assert parse(sealed(document()), "x") == SAMPLE


@pytest.mark.parametrize(
    "setting",
    [
        Setting(None, "app.jwt_secret", "hunter22"),
        Setting(None, "app.settings.API_KEY", "hunter22"),
        Setting("r", "app.password", "hunter22"),
        Setting(None, "myapp.jwtSecret", "hunter22"),
        Setting(None, "app.queue", "amqp://user:hunter22@host/"),
    ],
    ids=lambda setting: setting.name,
)
def test_no_secret_of_a_setting_is_written(setting: Setting) -> None:
    data = render(replace(SAMPLE, settings=SAMPLE.settings._replace(settings=(setting,))))
    assert b"hunter22" not in data
    read = parse(data, "x").settings.settings[0]
    assert (read.role, read.name, read.value, read.hidden) == (setting.role, setting.name, HIDDEN, True)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(None, "search_path", "tokens, public"),
        Setting(None, "tcp_keepalives_idle", "60"),
        Setting(None, "password_encryption", "scram-sha-256"),
        Setting(None, "TimeZone", "Europe/Paris"),
        Setting(None, "app.monkey", "banana"),
    ],
    ids=lambda setting: setting.name,
)
def test_ordinary_settings_are_kept(setting: Setting) -> None:
    read = parse(render(replace(SAMPLE, settings=SAMPLE.settings._replace(settings=(setting,)))), "x")
    assert read.settings.settings == (setting,)
    assert not setting.hidden


def test_no_password_in_a_difference_is_written() -> None:
    proof = PROOF._replace(equal=False, differences=("the function f has PASSWORD 'hunter22'",))
    assert b"hunter22" not in render(replace(SAMPLE, proof=proof))


@pytest.mark.parametrize(
    ("proof", "proven"),
    [(None, False), (PROOF, True), (PROOF._replace(equal=False), False)],
    ids=["no proof", "equal", "different"],
)
def test_it_is_proven_when_the_proof_found_it_equal(proof: Proof | None, proven: bool) -> None:
    assert replace(SAMPLE, proof=proof).proven is proven


def test_a_value_of_the_wrong_type_is_a_bug_at_once() -> None:
    with pytest.raises(TypeError):
        render(replace(SAMPLE, large_objects="0"))  # type: ignore[arg-type]


def test_whole_seconds_are_seconds_too() -> None:
    manifest: Manifest = replace(SAMPLE, seconds=3)
    assert parse(render(manifest), "x").seconds == 3.0
