"""`inv db.roundtrip` as a person runs it."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.clones import Clone
from tests.migrations.layouts import Layout

BAD = """def upgrade() -> None:
    op.add_column("tenants", sa.Column("phone", sa.Text()))


def downgrade() -> None:
    pass
"""


def test_a_revision_that_fails_is_told_with_what_to_write(clone: Clone) -> None:
    clone.write_revision("bad1", "e5a72b8c9d0f", BAD)
    done = clone.inv("db.roundtrip", "--only=bad1", "--junit=out.xml", ok=False, COLUMNS="80", NO_COLOR="1")
    assert done.code == 1
    assert done.out.splitlines()[:4] == [
        "  failed        bad1  alembic/versions/bad1_written_by_a_test.py (after-downgrade)",
        "      alembic/versions/bad1_written_by_a_test.py:11: roundtrip-after-downgrade",
        "        downgrade of bad1 leaves column `tenants.phone` behind",
        '        next: op.drop_column("tenants", "phone")',
    ]
    assert "next: correct the revisions, then `inv db.roundtrip --only=bad1`" in done.err
    assert "\x1b" not in done.out
    suite = Xml.fromstring((clone.folder / "out.xml").read_text())
    assert suite.find("testcase[@name='bad1']/failure") is not None
    annotated = clone.inv("db.roundtrip", "--only=bad1", "--format=github", ok=False).out
    assert annotated.startswith(
        "::error file=alembic/versions/bad1_written_by_a_test.py,line=11,title=roundtrip-after-"
    )


@pytest.mark.slow
def test_another_project_is_named_by_its_settings(clone: Clone, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "other")
    layout.revision("1", up='print("noise"); op.execute("CREATE TABLE t_1 (a int)")')
    done = clone.inv("db.roundtrip", "--json", "--plain-env", ALEMBIC_CONFIG=str(layout.folder / "alembic.ini"))
    document = json.loads(done.out)
    assert [(one["revision"], one["result"]) for one in document["revisions"]] == [("1", "ok")]
    assert document["models"] is None
    assert done.err.startswith("1 revision in ")


@pytest.mark.slow
def test_a_history_that_cannot_be_read_is_told_in_two_lines(clone: Clone) -> None:
    (clone.versions / "broken.py").write_text("revision = (")
    done = clone.inv("db.roundtrip", ok=False)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: alembic/versions/broken.py:")
    assert "\n  next: " in done.err


@pytest.mark.slow
def test_an_unknown_revision_is_refused(clone: Clone) -> None:
    done = clone.inv("db.roundtrip", "--only=nowhere", ok=False)
    assert done.code == 2
    assert done.err.startswith("error: nowhere is no revision of this history; nothing was checked\n  next: ")
