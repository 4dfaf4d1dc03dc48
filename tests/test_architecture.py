"""The rule of dependency, and the shape that the repository promises."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = {
    "errors", "redaction", "urls", "environments", "durations", "revision", "history", "plan", "catalog",
    "catalog_names", "retention", "findings", "url_syntax", "environment_file", "environment_rules", "identity",
    "lean", "header_scan", "plain_ini",
    "losses", "manifest", "database_names", "rescue", "database_settings", "headers", "header_values", "bindings",
    "diagnosis", "symptoms", "ailments_of_code", "ailments_of_version", "ailments_of_schema",
    "dump_progress", "quoting", "standing", "history_checks", "drift", "mending", "deparsing", "sql_statements",
    "sample_scalars", "sample_types", "sample_patterns", "sample_hints",
    "entities", "mermaid", "schema_page", "graph_lines",
    "statements", "lock_modes", "trace_values", "trace_words", "trace_documented", "branches", "reparenting",
    "header_edit",
    "roundtrip_report", "roundtrip_snapshot", "roundtrip_findings", "roundtrip_advice", "roundtrip_case",
}  # fmt: skip
SOURCES = [
    *ROOT.glob("app/**/*.py"),
    *ROOT.glob("scripts/**/*.py"),
    ROOT / "tasks.py",
    ROOT / "alembic/env.py",
]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def core_modules() -> list[Path]:
    found = [ROOT / f"app/migrations/{name}.py" for name in sorted(CORE)]
    return [path for path in found if path.exists()]


@pytest.mark.parametrize("path", sorted(ROOT.glob("app/migrations/**/*.py")), ids=lambda path: path.stem)
def test_the_toolkit_imports_nothing_else_of_the_application(path: Path) -> None:
    outside = [name for name in imports(path) if name.startswith(("app.", "scripts", "tasks"))]
    assert [name for name in outside if not name.startswith("app.migrations.")] == []


@pytest.mark.parametrize("path", core_modules(), ids=lambda path: path.stem)
def test_the_core_imports_only_the_standard_library_and_itself(path: Path) -> None:
    for name in imports(path):
        package = name.split(".")[0]
        allowed = package in sys.stdlib_module_names or name.split(".")[2:3][0] in CORE
        assert allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", core_modules(), ids=lambda path: path.stem)
def test_the_core_reads_no_clock_and_no_environment(path: Path) -> None:
    text = path.read_text()
    for forbidden in ("os.environ", "os.getenv", "time.time", "monotonic", ".now(", "subprocess", " print("):
        assert forbidden not in text, f"{path.name} uses {forbidden}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("app/**/__init__.py")), ids=lambda path: path.parent.name)
def test_every_init_is_empty_apart_from_a_docstring(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    assert [type(node) for node in body if not (isinstance(node, ast.Expr) and node is body[0])] == []


def test_the_folder_alembic_does_not_hide_the_installed_package() -> None:
    assert not (ROOT / "alembic/__init__.py").exists()


def test_the_core_can_be_imported_without_any_installed_package() -> None:
    modules = ", ".join(f"app.migrations.{path.stem}" for path in core_modules())
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {modules}"
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
            assert node.end_lineno - node.lineno < 40, node.name


def test_no_file_speaks_of_this_machine_or_of_a_package_index() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    words = [f"{ROOT.parent}/", "extra-" + "index-url", "/sim" + "ple/"]
    for name in filter(None, files.stdout.split("\0")):
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        assert [word for word in words if word in text] == [], name


def loaded(program: str) -> str:
    """Return what a program prints in a Python of its own, begun in this repository."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_menu_of_tasks_loads_nothing_heavy() -> None:
    heavy = "'sqlalchemy', 'alembic', 'psycopg2', 'rich', 'decouple', 'fastapi', 'dataclasses'"
    program = (
        f"import invoke, sys; before = set(sys.modules); import tasks; print({{{heavy}}} & set(sys.modules) - before)"
    )
    assert loaded(program) == "set()"


def test_a_backup_loads_no_alembic() -> None:
    """Neither time nor a broken history stands between an operator and a backup."""
    program = (
        "import sys; from app.migrations import archives, backup, proof; "
        "from scripts.tasks import backup_screen, bars, reaching; print({'alembic', 'mako'} & set(sys.modules))"
    )
    assert loaded(program) == "set()"
