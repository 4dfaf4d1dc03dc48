from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from decouple import RepositoryEnv
from hypothesis import given
from hypothesis import strategies as st

from app.migrations.environments import KEYS, parse
from app.migrations.errors import ConfigurationError

LOOSE = [
    "=",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "#",
    "'",
    '"',
    "\\",
    "export ",
    "${A}",
    "a",
    "é",
    "\ufeff",
    "\0",
    "# note\n",
]
SPACES = ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\xa0"]
PIECES = st.sampled_from([*KEYS[:4], "BACKUP=never\n", "embedded:///x", *LOOSE, *SPACES])
LINES = st.builds(
    "{}={}{}{}\n".format,
    st.sampled_from([*KEYS, "OTHER", "backup"]),
    st.sampled_from(["", "", " ", "'", '"']),
    st.text("ab1 #'\"\\${}=é\t", max_size=8),
    st.sampled_from(["", "", " ", "'", '"', "\r"]),
)
FILES = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.lists(LINES, max_size=3).map("".join))


def accepts(text: str) -> dict[str, str] | None:
    try:
        return {key: entry.value for key, entry in parse(text, "envs/dev.env").items()}
    except ConfigurationError:
        return None


def as_decouple_reads(text: str) -> dict[str, str]:
    with TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(text.encode())
        values: dict[str, str] = RepositoryEnv(path).data
        return values


@given(FILES)
def test_whatever_is_accepted_decouple_reads_alike(text: str) -> None:
    accepted = accepts(text)
    if accepted is not None:
        assert accepted == as_decouple_reads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("BACKUP_DIR=a", "a"),
        ("BACKUP_DIR=", ""),
        ("BACKUP_DIR=''", ""),
        ("BACKUP_DIR='a # b'", "a # b"),
        ('BACKUP_DIR="a b"  ', "a b"),
        ("BACKUP_DIR='${A}'", "${A}"),
        ("BACKUP_DIR=a#b=c$d", "a#b=c$d"),
        ("# note\n\n  # note = b\nBACKUP_DIR=a\r\n", "a"),
        ("BACKUP_DIR=it's", "it's"),
    ],
)
def test_reads(text: str, value: str) -> None:
    assert accepts(text) == as_decouple_reads(text) == {"BACKUP_DIR": value}


def test_knows_the_line_of_each_value_and_keeps_their_order() -> None:
    entries = parse("# note\nPROTECTED=true\n\nBACKUP=always\n", "envs/prod.env")
    assert [(key, entry.line) for key, entry in entries.items()] == [("PROTECTED", 2), ("BACKUP", 4)]


def test_other_programs_may_have_keys_in_the_file_when_they_are_named() -> None:
    assert list(parse("APP_ENV=dev\n", ".env", also=["APP_ENV"])) == ["APP_ENV"]


ALL = ", ".join(KEYS)
WRONG = {
    "export BACKUP=always": "begins with export; accepted: KEY=VALUE alone",
    "BACKUP=always # c": "BACKUP has a comment after its value; accepted: comments on a line of their own",
    "BACKUP=# c": "BACKUP has a comment after its value; accepted: comments on a line of their own",
    "BACKUP='always' # c": "BACKUP has a comment after its value; accepted: comments on a line of their own",
    "\ufeffBACKUP=always": "the file begins with a byte order mark; accepted: UTF-8 without one",
    "BACKUP='always\n'": "BACKUP has a quote that is not closed; accepted: a value on one line, in one pair of "
    "quotes or none",
    "BACKUP=always'": "BACKUP has a quote that is not closed; accepted: a value on one line, in one pair of "
    "quotes or none",
    "BACKUP='a' 'b'": "BACKUP holds a quote or a backslash inside its quotes; accepted: one pair of quotes, no escapes",
    'BACKUP="a\\nb"': "BACKUP holds a quote or a backslash inside its quotes; accepted: one pair of quotes, no escapes",
    "BACKUP=always\\": "BACKUP goes on in the next line; accepted: a value on one line",
    "BACKUP_DIR=${HOME}/b": "BACKUP_DIR holds ${...} or $(...), which is not replaced; accepted: the value itself",
    "s3cret": "there is no = in this line; accepted: KEY=VALUE on one line, or a comment that begins with #",
    "BACKUP = always": "there is a space before or after BACKUP or the =; accepted: KEY=VALUE without spaces around",
    " BACKUP=always": "there is a space before or after BACKUP or the =; accepted: KEY=VALUE without spaces around",
    "BACKUP=a\tb": "holds the character U+0009; accepted: printable characters and spaces",
    "BACKUP=a\0b": "holds the character U+0000; accepted: printable characters and spaces",
    "BACKUP=a\rPROTECTED=b": "holds the character U+000D; accepted: printable characters and spaces",
    "BACKPU=always": f"BACKPU is not a key, perhaps BACKUP; accepted: one of {ALL}",
    "backup=always": f"backup is not a key, perhaps BACKUP; accepted: one of {ALL}",
    "=always": f"what stands before the = is not a key; accepted: one of {ALL}",
    "s3cret@db/x?a=b": f"what stands before the = is not a key; accepted: one of {ALL}",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=[repr(text) for text in WRONG])
def test_refuses_what_decouple_would_misread(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "envs/dev.env")
    assert caught.value.message == f"envs/dev.env:1: {message}"
    assert caught.value.hint == "edit envs/dev.env line 1"


def test_refuses_a_key_that_is_set_twice() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse("BACKUP=never\n\nBACKUP=always\n", "envs/dev.env")
    assert str(caught.value) == (
        "error: envs/dev.env:3: BACKUP was already set in line 1; accepted: one line for each key\n"
        "  next: edit envs/dev.env line 3"
    )
