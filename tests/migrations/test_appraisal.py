"""One finding for one cause, weighed by the target's figures."""

from typing import Any

import pytest

from app.migrations.appraisal import Cause, appraise, effect
from app.migrations.findings import Finding, Severity
from app.migrations.squawk import Remark
from app.migrations.trace_values import DOCUMENTED, MEASURED, Lock, Statement, Step
from app.migrations.weights import Figures

PATH = "alembic/versions/e5a7_x.py"
USERS = "public.users"
SMALL = Figures(12, 8192, 0, 0)
MIDDLE = Figures(50_000, 8_000_000, 0, 0)
HUGE = Figures(90_000_000, 44_023_414_784, 1200, 0)
EXCLUSIVE, SHARE = "AccessExclusiveLock", "ShareLock"


def lock(mode: str = EXCLUSIVE, table: str = USERS, new: bool = False, source: str = MEASURED) -> Lock:
    return Lock(table, "table", mode, source, 3.0, new=new, origin="" if new else table)


def statement(sql: str, *locks: Lock, line: int = 18, segment: int = 1, **found: Any) -> Statement:
    return Statement(sql, PATH, line, segment, True, 1.0, None, locks)._replace(**found)


def step(*statements: Statement, error: str | None = None) -> Step:
    return Step("e5a7", PATH, "x", "1:00", statements, 2.0, error)


def check(rule: str, severity: Severity = Severity.WARNING, line: int = 18) -> Finding:
    return Finding(rule, severity, PATH, line, f"what {rule} leads to.", "what to write instead")


def remark(of: Statement, rule: str) -> Remark:
    return Remark(of, rule, "squawk's words", "squawk's help")


def seen(causes: list[Cause]) -> list[tuple[str, str, int]]:
    return [(one.finding.rule, one.finding.severity.value, one.finding.line) for one in causes]


ADD = statement("ALTER TABLE users ADD COLUMN a text", lock())
REWRITE = statement("ALTER TABLE users ALTER COLUMN a TYPE bigint", lock(), rewritten=(USERS,))
INDEX = statement("CREATE INDEX i ON users (a)", lock(SHARE), indexes_built=("public.i",), created=("public.i",))
FOREIGN = statement("ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t (id)",
                    lock("ShareRowExclusiveLock"), validated=("f ON public.users",))  # fmt: skip


def test_a_lock_that_is_held_for_a_moment_is_no_finding() -> None:
    assert appraise(step(ADD), [], [], {USERS: HUGE}) == []


def test_what_happens_to_a_table_of_this_revision_is_no_finding() -> None:
    made = statement("CREATE TABLE users (a int)", lock(new=True), created=(USERS,))
    index = statement("CREATE INDEX i ON users (a)", lock(SHARE, new=True), line=19, indexes_built=("public.i",))
    said = [remark(index, "require-concurrent-index-creation")]
    assert appraise(step(made, index), [], said, {USERS: HUGE}) == []


def test_rows_changed_alone_or_before_a_lock_are_no_finding() -> None:
    update = statement("UPDATE users SET a = 1", lock("RowExclusiveLock"), rows=20)
    assert appraise(step(update), [], [], None) == []
    assert appraise(step(update, statement("ALTER TABLE users ADD b int", lock(), line=20)), [], [], None) == []


def test_three_voices_about_one_cause_are_one_finding_in_our_words() -> None:
    said = [remark(INDEX, "require-concurrent-index-creation")]
    (cause,) = appraise(step(INDEX), [check("index-not-concurrent")], said, {USERS: HUGE})
    assert cause.finding.message == "what index-not-concurrent leads to."
    assert (cause.finding.severity, cause.tables) == (Severity.ERROR, (USERS,))
    assert (cause.lock and cause.lock.mode, cause.squawk) == (SHARE, ("require-concurrent-index-creation",))
    assert cause.facts == (
        "measured: ShareLock blocks writes to public.users (90 M rows, 41 GB, 1.2 k writes/s); builds public.i"
    )


def test_a_call_over_several_lines_is_one_finding() -> None:
    (cause,) = appraise(step(INDEX._replace(line=21)), [check("index-not-concurrent", line=18)], [], None)
    assert cause.finding.line == 18
    assert len(appraise(step(INDEX._replace(line=40)), [check("index-not-concurrent", line=18)], [], None)) == 2


def test_two_statements_of_a_loop_on_one_line_are_one_finding_with_both_tables() -> None:
    other = INDEX._replace(locks=(lock(SHARE, "public.tenants"),))
    (cause,) = appraise(step(INDEX, other), [], [], None)
    assert cause.tables == (USERS, "public.tenants")


@pytest.mark.parametrize(
    ("figures", "severity"),
    [({USERS: HUGE}, "error"), ({USERS: MIDDLE}, "warning"), ({USERS: SMALL}, "note"), ({}, "note"),
     (None, "warning")],
    ids=["a huge table", "one between", "a small one", "one that the same plan makes", "no target"],
)  # fmt: skip
@pytest.mark.parametrize("work", [REWRITE, INDEX, FOREIGN], ids=["rewrite", "index", "foreign key"])
def test_work_on_a_whole_table_weighs_as_the_table_does(
    work: Statement, figures: dict[str, Figures] | None, severity: str
) -> None:
    assert [one.finding.severity.value for one in appraise(step(work), [], [], figures)] == [severity]


def test_what_the_trace_refutes_is_a_note() -> None:
    widened = ADD._replace(sql="ALTER TABLE users ALTER COLUMN a TYPE text")
    (cause,) = appraise(step(widened), [check("type-change")], [], {USERS: HUGE})
    assert cause.finding.severity is Severity.NOTE
    assert cause.facts.endswith("no table is read or written from end to end")


def test_what_blocks_a_commit_blocks_a_plan_on_any_table() -> None:
    grave = check("missing-downgrade", Severity.ERROR, line=30)
    assert seen(appraise(step(ADD), [grave], [], {USERS: SMALL})) == [("missing-downgrade", "error", 30)]


def test_a_column_that_needs_a_value_fails_where_there_are_rows() -> None:
    empty = Figures(0, 8192, 0, 0)
    required = ADD._replace(sql="ALTER TABLE users ADD COLUMN a text NOT NULL")
    for figures, severity in ((SMALL, "error"), (empty, "note")):
        (cause,) = appraise(step(required), [check("not-null-without-default")], [], {USERS: figures})
        assert cause.finding.severity.value == severity


def test_what_fails_on_made_up_rows_alone_is_a_warning_where_the_target_has_rows() -> None:
    unique = step(INDEX._replace(sql="CREATE UNIQUE INDEX i ON users (a)", indexes_built=()))
    failing = unique._replace(with_rows="could not create unique index", with_rows_line=18)
    for figures, severity in ((None, "warning"), ({USERS: SMALL}, "warning"), ({USERS: Figures(0, 0, 0, 0)}, "note")):
        assert seen(appraise(failing, [], [], figures)) == [("fails-on-rows", severity, 18)]
    both = appraise(failing, [check("not-null-without-default")], [], {USERS: SMALL})
    assert seen(both) == [("not-null-without-default", "error", 18)]


def test_a_rename_weighs_little_where_nobody_asks() -> None:
    for figures, severity in ((Figures(0, 8192, 0, 0), "note"), (SMALL, "warning")):
        (cause,) = appraise(step(ADD), [check("rename")], [], {USERS: figures})
        assert cause.finding.severity.value == severity


def test_rows_that_change_under_a_lock_of_an_earlier_statement() -> None:
    update = statement("UPDATE tenants SET a = 1", lock("RowExclusiveLock", "public.tenants"), line=20, rows=20)
    (cause,) = appraise(step(ADD, update), [], [], None)
    assert seen([cause]) == [("data-and-schema-mixed", "warning", 20)]
    assert "blocks reads and writes of public.users" in cause.finding.message
    assert appraise(step(ADD, update._replace(segment=2)), [], [], None) == []


def test_a_truncated_table_is_told() -> None:
    truncate = statement("TRUNCATE users", lock(), truncated=(USERS,))
    assert seen(appraise(step(truncate), [], [], {USERS: HUGE})) == [("truncate", "error", 18)]


def test_a_revision_that_could_not_be_captured_is_an_error() -> None:
    (cause,) = appraise(step(ADD, error='relation "x" does not exist'), [], [], None)
    assert (cause.finding.rule, cause.finding.severity) == ("not-captured", Severity.ERROR)
    assert "`inv db.roundtrip --only=e5a7`" in cause.finding.instead


def test_a_matter_of_taste_is_a_note_and_comes_last() -> None:
    said = [remark(REWRITE, "prefer-bigint-over-int")]
    assert seen(appraise(step(REWRITE), [], said, None)) == [
        ("type-change", "warning", 18),
        ("prefer-bigint-over-int", "note", 18),
    ]


def test_a_documented_lock_says_so() -> None:
    build = statement("CREATE INDEX CONCURRENTLY i ON users (a)", lock("ShareUpdateExclusiveLock", source=DOCUMENTED))
    (cause,) = appraise(step(build), [check("several-changes")], [], None)
    assert cause.facts == "documented: ShareUpdateExclusiveLock blocks schema changes of public.users"


@pytest.mark.parametrize(
    ("mode", "said"),
    [("AccessShareLock", "blocks no traffic on"), ("RowExclusiveLock", "blocks no traffic on"),
     ("ShareUpdateExclusiveLock", "blocks schema changes of"), ("ShareLock", "blocks writes to"),
     ("ExclusiveLock", "blocks writes to"), ("AccessExclusiveLock", "blocks reads and writes of")],
)  # fmt: skip
def test_what_a_lock_keeps_others_from(mode: str, said: str) -> None:
    assert effect(mode) == said
