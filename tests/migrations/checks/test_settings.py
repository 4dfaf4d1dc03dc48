"""What a project can say about the checks, and what is said about a mistake in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.migrations import history_checks
from app.migrations.checks import rules, settings
from app.migrations.checks.settings import Settings
from app.migrations.errors import ConfigurationError
from app.migrations.findings import Severity

ROOT = Path(__file__).resolve().parents[3]
HEAD = "[tool.massacorp.checks]\n"


@pytest.mark.parametrize(
    "text", ["", "[tool.other]\nmassacorp = 1\n", '[project]\nname = "massacorp-checks"\n', "[tool]\n"]
)
def test_without_the_table_the_defaults_hold(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert settings.load(str(tmp_path)) == Settings()


def test_without_the_file_the_defaults_hold(tmp_path: Path) -> None:
    assert settings.load(str(tmp_path)) == Settings()


def test_everything_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        HEAD + 'several_heads = true\nno_downgrades = true\ncheck_after = "a1"\n'
        '[tool.massacorp.checks.severity]\ndrop-column = "error"\nrename = "off"\nseveral-heads = "note"\n'
    )
    found = settings.load(str(tmp_path))
    assert (found.several_heads, found.no_downgrades, found.check_after) == (True, True, "a1")
    assert found.severity("drop-column", Severity.WARNING) is Severity.ERROR
    assert found.severity("rename", Severity.WARNING) is None
    assert found.severity("drop-table", Severity.WARNING) is Severity.WARNING


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "tool.massacorp.checks has the key 'x'; accepted: severity, several_heads"),
        ("several_heads = 1", "several_heads is 1; accepted: true, false"),
        ("check_after = 7", "check_after is 7; accepted: the id of a revision, as a text"),
        ('severity = "error"', "severity is 'error'; accepted: a table such as"),
        ('severity = {drop-colum = "off"}', "severity has the rule 'drop-colum'; accepted: missing-downgrade, "),
        ('severity = {drop-column = "loud"}', "severity of drop-column is 'loud'; accepted: off, error, warning, note"),
        ("severity = {drop-column = []}", "severity of drop-column is []; accepted: off, error, warning, note"),
        ("=", "pyproject.toml: cannot be read: "),
    ],
)
def test_a_mistake_is_named_with_what_is_accepted(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings.parse((HEAD + text).encode())
    assert said in caught.value.message
    assert caught.value.message.endswith("; nothing was checked")
    assert caught.value.hint == "correct [tool.massacorp.checks] in pyproject.toml"


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\nmassacorp = 1", "[tool.massacorp]\nchecks = []"])
def test_what_is_no_table_is_said(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no table"):
        settings.parse(text.encode())


def test_the_names_are_those_of_the_rules() -> None:
    assert [rule.name for rule in rules.ALL] == list(settings.FILE_RULES)
    assert set(history_checks.RULES) == set(settings.GRAPH_RULES)


def test_tomllib_is_loaded_only_for_a_file_that_may_have_the_table(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.migrations.checks import settings; "
        f"settings.load({str(tmp_path)!r}); print('tomllib' in sys.modules)"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.massacorp]\n")
    command = [sys.executable, "-I", "-S", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
