"""The graph of revisions as a whole. What must not be found comes first."""

import warnings

import pytest
from alembic.script.revision import RevisionError
from hypothesis import given
from hypothesis import strategies as st

from app.migrations import history_checks
from app.migrations.checks import settings
from app.migrations.findings import Finding, Severity, text
from app.migrations.headers import Fault, Revision
from app.migrations.history import History
from app.migrations.history_checks import ALEMBICS, NO_GIT, Advice, Git, check
from tests.migrations.histories import header, of_map, revision_map


def revision(id_: str, *parents: str, **more: tuple[str, ...]) -> Revision:
    return Revision(id_, parents, path=f"v/{id_}_x.py", line=8, message=f"add {id_}", **more)  # type: ignore[arg-type]


def history(*lines: str) -> History:
    """Each line a revision and its parents."""
    return History(revision(*line.split()) for line in lines)


def found(graph: History, git: Git = NO_GIT) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in check(graph, git=git)]


def one(graph: History, git: Git = NO_GIT, advice: Advice = ALEMBICS) -> Finding:
    (finding,) = check(graph, git=git, advice=advice)
    return finding


def file(id_: str, *parents: str, body: str = "") -> bytes:
    return (header(id_, parents) + body).encode()


GOOD = {
    "an empty history": history(),
    "one revision": history("a"),
    "a line": history("a", "b a", "c b"),
    "branches that are joined again": history("a", "b a", "c a", "d b c"),
    "two bases that are joined": history("a", "b", "c a b"),
    "a dependency": History([revision("a"), revision("b", "a"), revision("c", "b", depends_on=("a",))]),
    "labels": History([revision("a", labels=("core",)), revision("b", "a")]),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_has_no_findings(name: str) -> None:
    assert check(GOOD[name]) == []


def test_two_heads_are_told_with_where_they_part_who_wrote_them_and_the_command() -> None:
    git = Git(authors={"v/b_x.py": "Ann", "v/c_x.py": "Bob"})
    advice = Advice("inv db.merge", "inv db.rebase")
    assert text(one(history("a", "b a", "c a"), git, advice)) == (
        "v/b_x.py:8: several-heads\n"
        '  the history has 2 heads, and `alembic upgrade head` stops there: b "add b" (v/b_x.py by Ann), '
        'c "add c" (v/c_x.py by Bob); they part at a "add a"; '
        "to put the branch of this checkout onto the other instead: inv db.rebase\n"
        "  next: inv db.merge"
    )


def test_the_command_for_two_heads_is_alembics_own_elsewhere() -> None:
    finding = one(history("a", "b a", "c a"))
    assert finding.instead == 'alembic merge -m "merge heads" heads'
    assert "db.rebase" not in finding.message


def test_heads_without_a_common_revision_are_told_so() -> None:
    assert "they share no revision" in one(history("a", "b")).message


def test_many_heads_are_counted() -> None:
    message = one(history("a", *(f"b{number} a" for number in range(9)))).message
    assert "9 heads" in message
    assert "and 4 more" in message


@pytest.mark.parametrize(
    "graph",
    [history("a", "b a", "d c"), history("a", "b a", "c d", "d c"), history("a", "b a", "a")],
    ids=["a gap", "a circle", "a duplicate"],
)
def test_the_ends_of_a_broken_history_are_not_called_heads(graph: History) -> None:
    assert "several-heads" not in [rule for rule, _ in found(graph)]


def test_a_missing_parent_is_found_where_it_is_named() -> None:
    finding = one(history("a", "b a", "d c"))
    assert (finding.rule, finding.path, finding.line) == ("missing-parent", "v/d_x.py", 8)
    assert finding.message == "d names c as its parent, and no file has that id: no command of Alembic can run"
    assert finding.instead == "git log --all --oneline --name-only -- '*c*.py'"


def test_a_missing_parent_that_git_was_not_given_is_added() -> None:
    findings = check(history("a", "c b"), git=Git(not_added={"v/my b.py": file("b", "a")}))
    assert [(each.rule, each.instead) for each in findings] == [
        ("missing-parent", "git add -f 'v/my b.py'"),
        ("not-added", "git add -f 'v/my b.py'"),
    ]


def test_a_missing_dependency_is_found() -> None:
    graph = History([revision("a"), revision("b", "a", depends_on=("zz",))])
    assert "b names zz as a revision that it depends on" in one(graph).message


def test_a_duplicate_id_is_found_with_all_of_its_files() -> None:
    graph = History([Revision("a", path="v/1_a.py"), Revision("a", path="v/2_a.py")])
    finding = one(graph)
    assert (finding.rule, finding.path) == ("duplicate-id", "v/2_a.py")
    assert "2 files are revision a: v/1_a.py, v/2_a.py" in finding.message
    assert "write another id into v/2_a.py" in finding.instead


def test_a_duplicate_that_says_the_same_is_deleted() -> None:
    graph = History([Revision("a", path="v/1_a.py"), Revision("a", path="v/2_a.py")])
    git = Git(texts={"v/1_a.py": file("a"), "v/2_a.py": file("a", body="# a comment\n")})
    assert one(graph, git).instead == "rm v/2_a.py"


def test_a_circle_is_found_once() -> None:
    graph = history("a", "b d", "c b", "d c")
    finding = one(graph)
    assert (finding.rule, finding.path) == ("cycle", "v/b_x.py")
    assert " -> " in finding.message


def test_what_stands_above_a_gap_is_found_as_one() -> None:
    assert found(history("a", "c b", "d c", "e d")) == [("missing-parent", "v/c_x.py"), ("unreachable", "v/d_x.py")]


def test_a_history_without_a_first_revision_is_found() -> None:
    assert found(history("b a", "c b")) == [("missing-parent", "v/b_x.py"), ("no-base", "v/b_x.py")]
    assert found(history("a b", "b a")) == [("cycle", "v/a_x.py"), ("no-base", "v/a_x.py")]


def test_a_label_that_means_two_things_is_found() -> None:
    graph = History([revision("a", labels=("core",)), revision("b", "a", labels=("core",))])
    assert found(graph) == [("label-clash", "v/b_x.py")]


def test_what_cannot_be_read_blocks_as_it_is() -> None:
    fault = Fault("v/x.py", 3, "wrong-header", "down_revision is 3", "write it out")
    finding = Finding("wrong-header", Severity.ERROR, "v/x.py", 3, "down_revision is 3", "write it out")
    assert check(history("a", "b a", "c a"), [fault]) == [finding]


def named(*paths: str) -> History:
    ids = [f"a{number}" for number in range(len(paths))]
    parents: list[tuple[str, ...]] = [(), *((id_,) for id_ in ids)]
    return History(Revision(id_, above, path=path) for id_, above, path in zip(ids, parents, paths, strict=False))


def test_a_file_without_its_id_in_its_name_is_a_warning() -> None:
    (finding,) = check(named("v/a0_x.py", "v/other.py", "v/a2.py"))
    assert (finding.rule, finding.path, finding.severity) == ("file-name", "v/other.py", Severity.WARNING)
    assert finding.instead == "mv v/other.py v/a1_other.py"


def test_where_files_are_named_otherwise_no_name_is_found() -> None:
    assert check(named("v/2026_x.py", "v/2027_y.py", "v/a2.py")) == []
    assert check(named("v/a0_x.py", "v/other.py", "v/a2.py"), named_by_id=False) == []
    assert len(check(named("v/2026_x.py", "v/2027_y.py"), named_by_id=True)) == 2


LINE = history("a", "b a")


def published(now: bytes, before: bytes = file("b", "a"), path: str = "v/b_x.py") -> Git:
    return Git("origin/main", "1a2b3c", {path: before}, {"v/b_x.py": now})


@pytest.mark.parametrize(
    "now",
    [file("b", "a"), file("b", "a", body="\n\n# why\n"), file("b", "a").replace(b"\n\n\n", b"\n\n"),
     file("b", "a").replace(b"\n", b"\r\n"), file("b", "a").replace(b"the title", b"another title")],
    ids=["the same", "a comment", "the layout", "the line ends", "the docstring"],
)  # fmt: skip
def test_a_published_revision_may_look_different(now: bytes) -> None:
    assert check(LINE, git=published(now)) == []


def test_a_published_revision_may_be_renamed() -> None:
    assert check(LINE, git=published(file("b", "a"), path="v/b_old_name.py")) == []


def test_a_published_revision_that_says_something_else_is_found() -> None:
    finding = one(LINE, published(file("b", "a", body="x = 1\n")))
    assert (finding.rule, finding.path, finding.line) == ("published-edited", "v/b_x.py", 8)
    assert finding.instead == "git restore --source=1a2b3c --staged --worktree -- v/b_x.py"
    assert "b is published: origin/main has it since 1a2b3c at the latest" in finding.message
    assert 'published-edited = "warning"' in finding.way_out


def test_a_published_revision_with_another_parent_is_found() -> None:
    assert one(LINE, published(file("b", "a"), file("b"))).rule == "published-edited"


def test_a_published_revision_that_was_renamed_and_edited_is_found_under_its_new_name() -> None:
    finding = one(LINE, published(file("b", "a", body="x = 1\n"), path="v/b_old.py"))
    assert (finding.rule, finding.path) == ("published-edited", "v/b_x.py")
    assert finding.instead == "git diff 1a2b3c:./v/b_old.py v/b_x.py"


def test_a_published_revision_that_is_gone_is_found() -> None:
    git = Git("origin/main", "1a2b3c", {"v/b_x.py": file("b", "a")})
    finding = one(history("a"), git)
    assert (finding.rule, finding.path) == ("published-deleted", "v/b_x.py")
    assert finding.instead == "git restore --source=1a2b3c --staged --worktree -- v/b_x.py"


def test_a_published_file_that_is_no_revision_may_go() -> None:
    assert check(history("a"), git=Git("main", "1", {"v/notes.py": b"x = 1\n"})) == []


def test_a_published_revision_that_cannot_be_read_any_more_is_found_once() -> None:
    fault = Fault("v/b_x.py", 1, "syntax-error", "no", "correct it")
    git = Git("main", "1", {"v/b_x.py": file("b", "a")}, {"v/b_x.py": b"("})
    assert [each.rule for each in check(history("a"), [fault], git)] == ["syntax-error"]


def test_a_revision_that_git_does_not_hold_is_found() -> None:
    finding = one(history("a"), Git(not_added={"v/b.py": file("b", "a")}))
    assert (finding.rule, finding.severity, finding.instead) == ("not-added", Severity.ERROR, "git add -f v/b.py")


def test_another_file_that_git_does_not_hold_is_not_found() -> None:
    assert check(history("a"), git=Git(not_added={"v/notes.py": b"x = 1\n"})) == []


def test_a_conflict_is_found() -> None:
    assert found(history("a"), Git(unmerged=["v/b.py"])) == [("unmerged", "v/b.py")]


def test_the_rules_are_those_that_the_settings_know() -> None:
    assert set(settings.GRAPH_RULES) == set(history_checks.RULES)


def test_a_finding_names_a_rule_that_is_listed() -> None:
    graphs = [*GOOD.values(), history("a", "b a", "c a"), history("b a"), history("a b", "b a"), history("a", "c b")]
    assert {rule for graph in graphs for rule, _ in found(graph)} <= set(history_checks.RULES)


@st.composite
def graphs(draw: st.DrawFn) -> list[Revision]:
    """A few revisions with any parents, dependencies and labels, also of files that are not there."""
    ids = st.sampled_from("abcde")
    some = st.lists(ids, max_size=2).map(tuple)
    made: list[Revision] = []
    for _ in range(draw(st.integers(0, 5))):
        labels = draw(st.lists(st.sampled_from(["a", "x", "y"]), max_size=1).map(tuple))
        depends_on = draw(st.just(()) | st.lists(st.sampled_from("abx"), max_size=1).map(tuple))
        id_ = draw(ids)
        made.append(Revision(id_, draw(some), depends_on, labels, f"v/{id_}_{len(made)}.py", 8))
    return made


@given(graphs())
def test_nothing_is_found_where_alembic_is_content_and_all_where_it_is_not(revisions: list[Revision]) -> None:
    """Alembic warns of a duplicate and loads the rest; several heads it counts itself."""
    findings = [finding.rule for finding in check(History(revisions), named_by_id=True)]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            heads = of_map(revision_map(revisions)).heads
        except (RevisionError, KeyError):
            assert set(findings) - {"several-heads"}
            return
    assert findings == (["several-heads"] if len(heads) > 1 else []) or warned
    assert not warned or "duplicate-id" in findings
