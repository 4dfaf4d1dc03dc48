"""Whether branches commute: proven by running them in every order on a real PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest

from app.migrations import branches, commuting, scratch
from app.migrations.commuting import Proof
from app.migrations.errors import ConfigurationError
from app.migrations.project import open_project
from tests.migrations.projects import Project
from tests.roads import ask

TABLE = "CREATE TABLE t (id int PRIMARY KEY, n int, name text)"
DEPENDING = "depends_on = None"


def project(folder: Path, **statements: str) -> Project:
    """A history whose revision `p` makes a table; the others stand on it, each with one statement."""
    made = Project(folder)
    made.revision("p", TABLE)
    for id_, statement in statements.items():
        made.revision(id_, statement, parents="p")
    return made


def prove(made: Project, admin: str) -> Proof:
    with open_project(made.folder) as opened:
        return commuting.prove(opened, admin, branches.of(opened.history, opened.history.heads))


def shown(proof: Proof) -> dict[str, str]:
    return {", ".join(each.order): each.failure.error.text if each.failure else "" for each in proof.attempts}


def test_columns_of_one_table_commute_whatever_their_order(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="ALTER TABLE t ADD COLUMN a int", b="ALTER TABLE t ADD COLUMN b int")
    proof = prove(made, scratch_admin)
    assert proof.commutes
    assert shown(proof) == {"a, b": "", "b, a": ""}
    assert (proof.on_rows, proof.data, proof.alone) == (True, (), ())


def test_two_defaults_of_one_column_are_told_with_both_values(tmp_path: Path, scratch_admin: str) -> None:
    made = project(
        tmp_path, a="ALTER TABLE t ALTER n SET DEFAULT 1", b="ALTER TABLE t ALTER n SET DEFAULT 2"
    )  # fmt: skip
    proof = prove(made, scratch_admin)
    assert not proof.commutes
    ((attempt, (difference,)),) = proof.differing
    assert attempt.order == ("b", "a")
    assert difference.words("a, b", "b, a") == 'column public.t.n: default is "1" in b, a, "2" in a, b'


def test_what_fails_only_after_the_other_is_told_with_its_order(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="ALTER TABLE t DROP COLUMN n", b="CREATE INDEX ON t (n)")
    proof = prove(made, scratch_admin)
    assert not proof.commutes
    assert shown(proof) == {"a, b": 'column "n" does not exist', "b, a": ""}
    failure = proof.attempts[0].failure
    assert failure is not None
    assert (failure.revision, failure.path) == ("b", "alembic/versions/b_x.py")
    lines = (tmp_path / failure.path).read_text().splitlines()
    assert "CREATE INDEX" in lines[failure.error.line - 1]


def test_a_conflict_that_only_rows_show_is_one(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="UPDATE t SET n = id", b="CREATE UNIQUE INDEX ON t (n)")
    proof = prove(made, scratch_admin)
    assert not proof.commutes
    told = shown(proof)
    assert told["a, b"] == ""
    assert "could not create unique index" in told["b, a"]


@pytest.mark.slow
def test_what_fails_on_rows_in_every_order_is_no_matter_of_the_order(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="ALTER TABLE t ADD COLUMN a int NOT NULL", b="ALTER TABLE t ADD COLUMN b int")
    proof = prove(made, scratch_admin)
    assert proof.commutes
    assert not proof.on_rows
    assert [failure.revision for failure in proof.alone] == ["a"]


@pytest.mark.slow
def test_what_never_goes_up_is_not_proven(tmp_path: Path, scratch_admin: str) -> None:
    proof = prove(project(tmp_path, a="DROP TABLE absent", b="SELECT 1"), scratch_admin)
    assert not proof.commutes
    assert set(shown(proof).values()) == {'table "absent" does not exist'}


@pytest.mark.slow
def test_other_values_after_another_order_are_named(tmp_path: Path, scratch_admin: str) -> None:
    proof = prove(project(tmp_path, a="UPDATE t SET n = 1", b="UPDATE t SET n = 2"), scratch_admin)
    assert proof.commutes
    assert proof.data == ("public.t.n",)


@pytest.mark.slow
def test_three_heads_are_tried_in_all_orders(tmp_path: Path, scratch_admin: str) -> None:
    made = project(
        tmp_path,
        a="ALTER TABLE t ADD COLUMN a int",
        b="ALTER TABLE t ALTER name SET DEFAULT 'b'",
        c="ALTER TABLE t ALTER name SET DEFAULT 'c'",
    )
    proof = prove(made, scratch_admin)
    assert len(proof.attempts) == 6
    assert {attempt.order for attempt, _ in proof.differing} == {("a", "c", "b"), ("c", "a", "b"), ("c", "b", "a")}


@pytest.mark.slow
def test_more_than_three_heads_have_each_pair_in_both_orders(tmp_path: Path, scratch_admin: str) -> None:
    columns = {name: f"ALTER TABLE t ADD COLUMN {name} int" for name in "abcd"}
    made = project(tmp_path, **columns | {"e": "ALTER TABLE t ALTER n SET DEFAULT 1"})
    made.revision("d", "ALTER TABLE t ALTER n SET DEFAULT 2", parents="p")
    proof = prove(made, scratch_admin)
    assert [attempt.order for attempt in proof.attempts] == [("a", "b", "c", "d", "e"), ("e", "d", "c", "b", "a")]
    assert not proof.commutes


@pytest.mark.slow
def test_a_branch_that_depends_on_the_other_runs_after_it(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="ALTER TABLE t ADD COLUMN a int", b="CREATE INDEX ON t (a)")
    path = made.versions / "b_x.py"
    path.write_text(path.read_text().replace(DEPENDING, "depends_on = 'a'"))
    proof = prove(made, scratch_admin)
    assert proof.commutes
    assert {attempt.steps for attempt in proof.attempts} == {("b",)}


@pytest.mark.slow
def test_a_role_that_a_branch_makes_comes_in_each_order_and_is_gone(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="CREATE ROLE commuting_reader", b="ALTER TABLE t ADD COLUMN b int")
    assert prove(made, scratch_admin).commutes
    made.revision("p", TABLE, "CREATE ROLE commuting_owner")
    assert prove(made, scratch_admin).commutes
    made.revision("p", TABLE, "CREATE ROLE commuting_owner", "ALTER TABLE t OWNER TO commuting_owner")
    assert prove(made, scratch_admin).commutes
    assert ask(scratch_admin, "SELECT 1 FROM pg_roles WHERE rolname LIKE 'commuting%'") == []


@pytest.mark.slow
def test_branches_without_a_common_revision_begin_at_nothing(tmp_path: Path, scratch_admin: str) -> None:
    made = Project(tmp_path)
    made.revision("a", "CREATE TABLE a (n int)")
    made.revision("b", "CREATE TABLE b (n int)")
    assert prove(made, scratch_admin).commutes
    made.revision("b", "CREATE TABLE a (n int)")
    assert not prove(made, scratch_admin).commutes


@pytest.mark.slow
def test_what_is_broken_below_both_is_told_as_that(tmp_path: Path, scratch_admin: str) -> None:
    made = project(tmp_path, a="SELECT 1", b="SELECT 2")
    made.revision("p", "DROP TABLE absent")
    with pytest.raises(ConfigurationError) as raised:
        prove(made, scratch_admin)
    assert raised.value.message == (
        "p, which is below both branches, does not go up on a scratch database: "
        'table "absent" does not exist; nothing was written'
    )
    assert raised.value.hint == "inv db.roundtrip --only=p"


@pytest.mark.slow
def test_no_database_is_left(tmp_path: Path, scratch_admin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    create, names = scratch._create, list[str]()

    def noting(*arguments: Any) -> str:
        names.append(create(*arguments))
        return names[-1]

    monkeypatch.setattr(scratch, "_create", noting)
    prove(project(tmp_path, a="DROP TABLE absent", b="SELECT 1"), scratch_admin)
    assert len(names) == 6
    there = {row[0] for row in ask(scratch_admin, "SELECT datname FROM pg_database")}
    assert there.isdisjoint(names)
