"""Plain ini files; configparser is the judge, and the file that `alembic init` writes is plain."""

import tempfile
from configparser import ConfigParser, Error
from pathlib import Path

import alembic
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.migrations import history_settings, plain_ini

PLAIN = {
    "one setting": "[alembic]\nscript_location = alembic\n",
    "colons, case and blanks": "[alembic]\nScript_Location :  a = b  \n\n",
    "comments": "# x\n[alembic]\n  ; y\nscript_location = a # kept\n",
    "windows": "[alembic]\r\nscript_location = a\r\n",
    "an empty value": "[alembic]\nscript_location =\n\n[other]\nx = 1\n",
    "another section": "[other]\nscript_location = a\n",
    "nothing": "",
}
NOT_PLAIN = {
    "a value over lines": "[alembic]\nscript_location =\n  a\n",
    "a section twice": "[alembic]\nx = 1\n[alembic]\n",
    "a key twice": "[alembic]\nx = 1\nX = 2\n",
    "defaults": "[DEFAULT]\nscript_location = a\n[alembic]\n",
    "no section": "script_location = a\n",
    "no value": "[alembic]\nscript_location\n",
    "letters of a language": "[alembic]\nscript_location = é\n",
    "another here": "[alembic]\nhere = x\nscript_location = %(here)s\n",
    "a form feed": "[alembic]\nx = 1\n\fy = 2\n",
    "a lone carriage return": "[alembic]\nx = 1\ry = 2\n",
    "text behind a section": "[alembic] x\n",
}


TEMPLATES = [
    path
    for path in sorted(Path(alembic.__file__).parent.glob("templates/*/alembic.ini.mako"))
    if not path.parent.name.startswith("pyproject")
]


def judged(data: bytes) -> dict[str, str] | None:
    """What configparser has, as it is written; None where it cannot read the file."""
    parser = ConfigParser({"here": "/h"})
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x.ini").write_bytes(data)
        try:
            parser.read(Path(folder) / "x.ini", encoding="utf-8")
        except (Error, UnicodeDecodeError):
            return None
    found = dict(parser.items("alembic", raw=True)) if parser.has_section("alembic") else {}
    found.pop("here", None)
    return found


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_a_plain_file_is_read(text: str) -> None:
    assert plain_ini.section(text.encode(), "alembic") == judged(text.encode()) is not None


@pytest.mark.parametrize("text", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_left_to_configparser(text: str) -> None:
    assert plain_ini.section(text.encode(), "alembic") is None


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_what_alembic_init_writes_is_plain(path: Path) -> None:
    text = path.read_text().replace("${script_location}", "%(here)s/alembic")
    found = plain_ini.section(text.encode(), "alembic")
    assert found == judged(text.encode())
    assert found is not None
    assert found["script_location"] == "%(here)s/alembic"


LINE = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "", "", " ", "\t"]),
        st.sampled_from(["script_location", "X", "x", "here", "[alembic]", "[other]", "[DEFAULT]", "#", ";", "a b"]),
        st.sampled_from(["=", " = ", ":", " : ", "", " ", "]"]),
        st.sampled_from(["", "a", "%(here)s/x", "%%", "a = b", "a : b", "; c", "# c", "é", "\f", "[x]", "\x1c", "\0"]),
    ),
    st.text(max_size=12),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE, max_size=6), st.sampled_from(["\n", "\n", "\r\n", "\r"]))
@example(["[alembic]", "x = a", "", "y = b"], "\n")
def test_no_file_is_read_otherwise_than_by_configparser(lines: list[str], end: str) -> None:
    data = end.join(["[alembic]", *lines]).encode("utf-8", "surrogatepass")
    found = plain_ini.section(data, "alembic")
    assert found is None or found == judged(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["a", "%", "%%", "%(here)s", "%(x)s", "(here)s"]), max_size=6), st.sampled_from("h%"))
def test_a_value_is_filled_as_by_configparser(pieces: list[str], here: str) -> None:
    value = "".join(pieces)
    found = plain_ini.filled(value, here)
    parser = ConfigParser({"here": here})
    parser.read_string(f"[alembic]\nk = {value}\n")
    if found is not None:
        assert found == parser.get("alembic", "k")


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("[tool.alembic]", True),
        ('[ tool . "alembic" ]', True),
        ('tool.alembic.script_location = "x"', True),
        ("alembic = { script_location = 'x' }", True),
        ('"alembic" = {}', True),
        ('dependencies = ["alembic==1.14", "x"]', False),
        ('"alembic>=1.14",', False),
        ("# alembic", False),
        ("", False),
    ],
)
def test_tomllib_is_loaded_only_where_the_table_may_be(line: str, may: bool) -> None:
    assert history_settings._may_have_table(f"[project]\n{line}\n".encode()) is may
