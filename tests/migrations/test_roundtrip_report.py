"""The documents of a roundtrip."""

from xml.etree import ElementTree as Xml

from app.migrations.catalog import Difference, Moved
from app.migrations.findings import Finding, Severity
from app.migrations.roundtrip_report import Loss, Outcome, Report, Result, Stage, Way, document

DIFFERENCE = Difference("enum", "public.mood", None, None, "labels 'a'")
FINDING = Finding("roundtrip-after-downgrade", Severity.ERROR, "v/1.py", 4, "leaves \x00 mood", "drop it")
FAILED = Outcome("1", "v/1.py", Result.FAILED, Stage.AFTER_DOWNGRADE, (DIFFERENCE,), None, 4, findings=(FINDING,))
GOOD = Outcome("2", "v/2.py", Result.OK, lost=(Loss("public.t", "a", 3, "gone"),))
SKIPPED = Outcome("3", "v/3.py", Result.SKIPPED, error="it stands on 1")


def test_the_document_has_what_is_promised() -> None:
    whole = Report((FAILED, GOOD), ("x",), 1.23456).document()
    assert (whole["models"], whole["seconds"]) == (["x"], 1.235)
    failed, good = document(FAILED), document(GOOD)
    promised = {
        "revision", "path", "result", "stage", "differences", "error", "line", "lost", "column_order_only",
    }  # fmt: skip
    assert promised <= failed.keys()
    assert failed["differences"] == [
        {"kind": "enum", "object": "public.mood", "attribute": None, "before": None, "after": "labels 'a'"}
    ]
    assert (failed["stage"], failed["line"], good["stage"], good["line"]) == ("after-downgrade", 4, None, None)
    assert good["lost"] == [{"table": "public.t", "column": "a", "rows": 3, "detail": "gone", "step": "downgrade"}]


def test_only_the_order_of_columns() -> None:
    moved = (Moved("public.t", ("a", "b"), ("b", "a")),)
    assert GOOD._replace(moved=moved).column_order_only
    assert not FAILED._replace(moved=moved).column_order_only


def test_what_fails_the_whole() -> None:
    good = Report((GOOD, SKIPPED), (), 0.0, (Way("base", "head"),))
    assert not good.failed
    assert good._replace(revisions=(FAILED,)).failed
    assert good._replace(models=("x",)).failed
    assert good._replace(ways=(Way("head", "base", "x", failed=True),)).failed
    assert good._replace(ways=(Way("base", "head", differences=(DIFFERENCE,)),)).failed


def test_junit_names_each_revision_and_can_be_parsed() -> None:
    suite = Xml.fromstring(Report((FAILED, GOOD, SKIPPED), None, 2.0).junit())
    assert [case.get("name") for case in suite] == ["1", "2", "3", "ways", "models"]
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "5", "failures": "1", "skipped": "1",
    }  # fmt: skip
    assert suite.findtext("testcase/failure") == "v/1.py:4: leaves  mood\ndrop it"
