"""Errors that are not a revision's own: it works with what an empty module holds."""

from pathlib import Path

import pytest

from app.migrations import roundtrip
from app.migrations.project import open_project
from tests.migrations.layouts import Layout

FIELDS = {
    "adds to it": 'op.execute("SELECT " + absent_library.QUERY)',
    "makes a column of it": 'op.add_column("t_1", sa.Column("b", absent_library.Kind))',
    "sends it to the server": 'op.get_bind().execute(sa.text("SELECT :v"), {"v": absent_library.VALUE})',
    "has an operation of it": "op.create_entity(absent_library)",
}


def found(layout: Layout, admin: str) -> dict[str, tuple[str, str | None]]:
    with open_project(layout.folder, plain_env=True, stub_imports=True) as project:
        report = roundtrip.check(project, admin)
    return {one.revision: (one.result.value, one.error) for one in report.revisions}


@pytest.mark.parametrize("up", [pytest.param(text, id=name) for name, text in FIELDS.items()])
@pytest.mark.parametrize("way", ["up", "down"])
def test_what_needs_more_than_an_empty_module_is_skipped(tmp_path: Path, scratch_admin: str, up: str, way: str) -> None:
    layout = Layout(tmp_path)
    layout.revision("1")
    layout.revision("2", "1", imports="import absent_library", **{way: up})
    result, error = found(layout, scratch_admin)["2"]
    said = "it needs more than empty modules in the place of absent_library: "
    assert (result, (error or "").startswith(said)) == ("skipped", True), error


@pytest.mark.parametrize(
    "up",
    [
        pytest.param('op.execute("SELECT nothing")', id="the server refuses it"),
        pytest.param("[].pop()", id="it fails by itself"),
    ],
)
def test_what_fails_by_itself_is_charged(tmp_path: Path, scratch_admin: str, up: str) -> None:
    layout = Layout(tmp_path)
    layout.revision("1", imports="import absent_library")
    layout.revision("2", "1", up=up)
    assert {name: result for name, (result, _) in found(layout, scratch_admin).items()} == {"1": "ok", "2": "failed"}
