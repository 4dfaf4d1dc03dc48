"""The rules as a whole: listed, documented, weighed, silenced, and never in the way."""
# ruff: noqa: E501 -- pieces of code and rows of a table stand here as they are written

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from app.migrations.checks import surroundings
from app.migrations.checks.rule import Known, Rule
from app.migrations.checks.rules import ALL, check_file
from app.migrations.checks.settings import Settings
from app.migrations.errors import ConfigurationError
from app.migrations.findings import Severity
from tests.migrations.checks.revisions import BARRED, HEADER, KNOWN, check, check_text, source

ROOT = Path(__file__).resolve().parents[3]
MACHINERY = {"allowances", "inverse", "rule", "rules", "settings", "snippets", "surroundings"}
BLOCKING = {"missing-downgrade", "irreversible", "concurrently-in-transaction"}
OWN = sorted((ROOT / "alembic/versions").glob("*.py"))
DROP = 'op.drop_column("users", "name")'


def test_every_rule_has_its_file_and_its_test_and_the_other_way_round() -> None:
    names = [rule.name.replace("-", "_") for rule in ALL]
    assert {path.stem for path in ROOT.glob("app/migrations/checks/[a-z]*.py")} == {*names, *MACHINERY}
    tested = {path.stem.removeprefix("test_") for path in ROOT.glob("tests/migrations/checks/test_*.py")}
    assert set(names) <= tested
    assert len(names) == len(set(names))


def test_only_three_rules_block() -> None:
    assert {rule.name for rule in ALL if rule.severity is Severity.ERROR} == BLOCKING


def test_the_index_in_the_documentation_is_that_of_the_rules() -> None:
    rows = [
        f"| [{rule.name}](../app/migrations/checks/{rule.name.replace('-', '_')}.py) | {rule.severity.value} | {rule.summary} |"
        for rule in ALL
    ]
    written = (ROOT / "docs/rules.md").read_text()
    assert [line for line in written.splitlines() if line.startswith("| [")] == rows


def example(rule: Rule, title: str) -> str:
    found = re.search(rf"\n{title}:\n(.*?)\n(?=Why|Way out)", rule.documentation, re.S)
    assert found, rule.name
    code = dedent(found[1])
    return HEADER + code + ("" if "def downgrade" in code else BARRED)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_the_documentation_shows_what_is_bad_and_what_is_right(rule: Rule) -> None:
    assert rule.documentation.startswith(f"`{rule.name}`: ")
    assert "\nWhy: " in rule.documentation
    assert "\nhttps://www.postgresql.org/docs/current/" in rule.documentation
    assert "\nWay out: " in rule.documentation
    found = check_text(example(rule, "Bad"))
    assert [finding.rule for finding in found if finding.rule == rule.name] == [rule.name]
    assert check_text(example(rule, "Instead")) == []


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_our_own_revisions_are_clean(path: Path) -> None:
    assert check_file(str(path), path.read_bytes(), known=KNOWN) == []


def test_a_reason_silences_a_finding_and_only_that() -> None:
    allowed = f"{DROP}  # allow: drop-column -- nobody has ever used it"
    assert check(allowed) == []
    (left,) = check(f"{allowed}\n{DROP.replace('name', 'other')}")
    assert left.line == 10


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\x0c\n", "\n"], ids=["CRLF", "CR", "form feeds", "LF"])
def test_lines_are_counted_as_python_counts_them(end: str) -> None:
    whole = source(f"x = 'a\u2028b'\n{DROP}  # allow: drop-column -- fine\n{DROP.replace('name', 'fax')}").decode()
    (found,) = check_file("a1.py", whole.replace("\n", end).encode())
    assert (found.rule, found.message.partition(" loses")[0]) == ("drop-column", 'Dropping "users"."fax"')


def test_a_comment_on_the_function_does_not_cover_its_body() -> None:
    whole = source(DROP).decode().replace("def upgrade():", "def upgrade():  # allow: drop-column -- all of them")
    assert {finding.rule for finding in check_text(whole)} == {"drop-column", "stale-allow"}


def test_the_project_decides_about_severity() -> None:
    strict = Settings({"drop-column": Severity.ERROR})
    assert [finding.blocks for finding in check(DROP, settings=strict)] == [True]
    assert check(DROP, settings=Settings({"drop-column": None})) == []


def test_an_allowance_of_a_rule_that_is_off_is_not_stale() -> None:
    assert check(f"{DROP}  # allow: drop-column -- fine", settings=Settings({"drop-column": None})) == []


def test_the_past_is_left_alone() -> None:
    assert check_file("a1.py", source(DROP), known=Known(past=frozenset({"a1"}))) == []


def write_history(root: Path) -> None:
    (root / "alembic/versions").mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    for id_, parent in (("a1", None), ("b2", "a1"), ("c3", "b2"), ("x9", "a1")):
        (root / f"alembic/versions/{id_}.py").write_text(f"revision = {id_!r}\ndown_revision = {parent!r}\n")


def test_check_after_means_a_revision_and_all_below_it(tmp_path: Path) -> None:
    write_history(tmp_path)
    assert surroundings.gather(str(tmp_path), Settings(check_after="b2")).past == {"a1", "b2"}


def test_check_after_has_to_be_a_revision_of_the_history(tmp_path: Path) -> None:
    write_history(tmp_path)
    with pytest.raises(ConfigurationError, match="check_after is 'zz', and the history has no such revision"):
        surroundings.gather(str(tmp_path), Settings(check_after="zz"))


def test_the_packages_of_a_project_are_its_folders_with_python_and_its_modules(tmp_path: Path) -> None:
    for name in ("app/__init__.py", "alembic/env.py", "docs/index.md", "src/shop/models.py", "tasks.py", "not-one.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert surroundings.gather(str(tmp_path), Settings()).packages == {"app", "shop", "tasks"}


@pytest.mark.parametrize("text", ["", "x = 1", "def broken(:", "\0", "revision = 1", "# revision down_revision"])
def test_a_file_that_is_no_revision_is_passed_over(text: str) -> None:
    assert check_text(text) == []


def test_a_revision_that_python_cannot_read_is_a_finding() -> None:
    (found,) = check_text(HEADER + "def upgrade(:\n    pass\n")
    assert (found.rule, found.line, found.blocks) == ("syntax-error", 6, True)


PIECES = st.sampled_from(
    [
        "op", ".", "execute", "(", ")", "[", "]", "{", "}", ",", "=", ":", "\n", "\n    ", "'ALTER TABLE '", '"', "'", "f'",
        "def downgrade():", "for x in", "if x:", "with", "sa.Column(", "users", "*", "**", "lambda", "return", "raise", "1",
        "op.create_table(", "op.add_column('t', ", "op.execute('''CREATE INDEX CONCURRENTLY ", "'''", "# allow: drop-column",
        "try:", "except:", "'%s' % ", ".format(", "x := ", "import", "from . import x", "op.f(", "alter_column",
    ]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join)))
@effort(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_half_written_code_never_stops_the_check(text: str) -> None:
    check_file("x.py", text.encode("utf-8", "surrogatepass"))
    check_file("x.py", (HEADER + "def upgrade():\n    " + text).encode("utf-8", "surrogatepass"), known=KNOWN)


@given(
    st.lists(
        st.sampled_from(
            [
                "ALTER",
                "TABLE",
                "CREATE",
                "INDEX",
                "DROP",
                "a",
                '"',
                "'",
                "$$",
                "(",
                ")",
                ",",
                ";",
                "ADD",
                "COLUMN",
                ".",
                "--",
                "/*",
                "ON",
                "TO",
                "1",
            ]
        )
    )
)
@effort(max_examples=200, deadline=None, derandomize=True)
def test_half_written_sql_never_stops_the_check(words: list[str]) -> None:
    check(f"op.execute({' '.join(words)!r})")


@given(st.binary(max_size=200))
@effort(max_examples=100, deadline=None, derandomize=True)
def test_bytes_never_stop_the_check(data: bytes) -> None:
    check_file("x.py", data)
    check_file("x.py", HEADER.encode() + data)


@pytest.mark.parametrize(
    "body",
    [
        "x = " + "(" * 80 + ")" * 80,
        "x = " + "-" * 3000 + "1",
        "x = " + " + ".join(["'a'"] * 3000),
        "\n".join(f"{'    ' * n}for x{n} in (1, 2, 3, 4, 5, 6, 7, 8, 9):" for n in range(12)) + " op.drop_table('a')",
        "f()\n\n\ndef f():\n    f()\n    f()\n    f()",
        "x = '%999999999s' % 1",
        "x = '{:>999999999}'.format(1)",
    ],
    ids=["deep", "deeper", "long", "nested loops", "recursion", "wide", "wider"],
)
def test_hostile_code_neither_stops_nor_delays_the_check(body: str) -> None:
    check(body)


def test_everything_can_be_loaded_without_any_installed_package() -> None:
    paths = [*ROOT.glob("app/migrations/checks/[a-z]*.py"), *ROOT.glob("app/migrations/sources/[a-z]*.py")]
    modules = ", ".join(f"app.migrations.{path.parent.name}.{path.stem}" for path in paths)
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {modules}; print('dataclasses' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
