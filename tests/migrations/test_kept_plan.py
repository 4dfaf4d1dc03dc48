"""A plan in a file, and what deviates from it."""

from dataclasses import dataclass

import pytest

from app.migrations import kept_plan
from app.migrations.appraisal import Cause
from app.migrations.errors import ConfigurationError
from app.migrations.findings import Finding, Severity
from app.migrations.forecast import Forecast, Journey
from app.migrations.kept_plan import Accepted, Kept, KeptPlan
from app.migrations.trace_values import Statement, Step, Trace

PLAN = KeptPlan(
    "prod", "localhost/shop", ("a1",), ("c3",),
    (Kept("b2", "1:bb", ("ALTER TABLE users ADD COLUMN a text",)), Kept("c3", "1:cc", ("UPDATE users SET a = ?",))),
    (Accepted("rename", "nobody reads it"),),
)  # fmt: skip


def forecast(*rules: tuple[str, Severity], sql: str = "DROP TABLE x") -> Forecast:
    statement = Statement(sql, "v/b2.py", 3, 1, True, 1.0, None)
    causes = tuple(Cause(Finding(rule, severity, "v/b2.py", 3, "m", "i"), "b2") for rule, severity in rules)
    trace = Trace(("a1",), ("b2",), 180004, (Step("b2", "v/b2.py", "t", "1:bb", (statement,)),))
    return Forecast(Journey(("a1",), "head"), trace, causes, None, "no target")


def deviating(**changed: object) -> list[str]:
    return list(kept_plan.deviations(PLAN, PLAN._replace(**changed)))  # type: ignore[arg-type]


def test_what_is_written_is_read_again_to_the_letter() -> None:
    assert kept_plan.parse(kept_plan.render(PLAN), "plan.json") == PLAN


def test_the_same_plan_deviates_in_nothing() -> None:
    assert deviating() == []


def test_another_reason_to_accept_is_no_deviation() -> None:
    assert deviating(accepted=(), errors=("rename",)) == []


@dataclass
class Case:
    changed: dict[str, object]
    said: str


B, C = PLAN.revisions
CASES = {
    "another environment": Case(
        {"environment": "staging"}, "it was made for prod (localhost/shop), not for staging (localhost/shop)"
    ),
    "another database": Case(
        {"database": "other/shop"}, "it was made for prod (localhost/shop), not for prod (other/shop)"
    ),
    "another start": Case({"start": ()}, "the database is at base, and was at a1"),
    "a new revision": Case(
        {"revisions": (B, C, Kept("d4", "1:dd", ()))}, "b2, c3, d4 would be applied, and was planned as b2, c3"
    ),
    "one revision less": Case({"revisions": (C,)}, "c3 would be applied, and was planned as b2, c3"),
    "an edited file": Case({"revisions": (B._replace(digest="1:xx", statements=()), C)}, "the file of b2 was edited"),
    "another statement": Case(
        {"revisions": (B._replace(statements=("DROP TABLE users",)), C)},
        "b2 runs other statements: now runs DROP TABLE users; no longer runs ALTER TABLE users ADD COLUMN a text",
    ),
    "a statement twice": Case(
        {"revisions": (B._replace(statements=B.statements * 2), C)},
        "b2 runs other statements: the same in another order or number",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_deviation_is_named(case: Case) -> None:
    assert deviating(**case.changed) == [case.said]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INSERT INTO t VALUES (1, 'now', true)", "INSERT INTO t VALUES (2, 'later''s', NULL)"),
        ("UPDATE t SET at = '2026-11-22'::timestamptz", "UPDATE t SET at = '2026-11-23'::timestamptz"),
        ("SELECT  1\n FROM t", "SELECT 1 FROM t"),
        ("ALTER TABLE t\n\tADD a int", "ALTER TABLE t ADD a int"),
    ],
)
def test_values_of_rows_and_layout_do_not_count(one: str, other: str) -> None:
    assert kept_plan.shape(one) == kept_plan.shape(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ALTER TABLE t ADD a int DEFAULT 1", "ALTER TABLE t ADD a int DEFAULT 2"),
        ("UPDATE t SET a = 1", "UPDATE t SET b = 1"),
        ("CREATE TYPE e AS ENUM ('a')", "CREATE TYPE e AS ENUM ('b')"),
        ("INSERT INTO t1 VALUES (1)", "INSERT INTO t2 VALUES (1)"),
    ],
)
def test_everything_else_counts(one: str, other: str) -> None:
    assert kept_plan.shape(one) != kept_plan.shape(other)


def test_a_plan_is_kept_with_what_nobody_has_accepted() -> None:
    found = forecast(("rename", Severity.ERROR), ("type-change", Severity.ERROR), ("drop-table", Severity.WARNING))
    plan = kept_plan.keep(found, "prod", "localhost/shop", [Accepted("rename", "why")])
    assert (plan.start, plan.end, plan.errors) == (("a1",), ("b2",), ("type-change",))
    assert plan.revisions == (Kept("b2", "1:bb", ("DROP TABLE x",)),)


def test_an_accepted_rule_without_a_finding_is_refused() -> None:
    found = forecast(("rename", Severity.ERROR))
    kept_plan.refuse_stale(found, [Accepted("rename", "why")])
    with pytest.raises(ConfigurationError, match="--accept=renam: the plan has no such finding; it has rename"):
        kept_plan.refuse_stale(found, [Accepted("renam", "why")])


def test_a_rule_is_accepted_with_a_reason() -> None:
    assert kept_plan.accept(["drop-table: nobody reads it: see the log"]) == [
        Accepted("drop-table", "nobody reads it: see the log")
    ]


@pytest.mark.parametrize("given", ["drop-table", "drop-table:", ": why", "", "drop-table:   "])
def test_a_rule_without_a_reason_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="is no rule with a reason"):
        kept_plan.accept([given])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 2}', kept_plan.render(PLAN).replace('"digest"', '"hash"'), "null"]
)
def test_what_is_no_plan_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^error: plan\.json is no kept plan: "):
        kept_plan.parse(text, "plan.json")
