"""The walk through histories of other people's making: what is charged to whom, and that nothing stops it."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.migrations import raw, roundtrip, scratch
from app.migrations.catalog_names import Key
from app.migrations.errors import ConfigurationError
from app.migrations.project import open_project
from app.migrations.roundtrip import Outcome, Report, Settings
from app.migrations.roundtrip_roles import Signature
from tests.migrations.layouts import Layout

COLUMN = 'op.add_column("t_1", sa.Column("b", sa.Integer()))'
NO_COLUMN = 'op.drop_column("t_1", "b")'


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "project")
    made.revision("1")
    return made


def judged(layout: Layout, admin: str, settings: Settings = roundtrip.EVERYTHING) -> Report:
    with open_project(layout.folder) as project:
        return roundtrip.check(project, admin, settings)


def results(report: Report) -> dict[str, tuple[str, str | None]]:
    return {one.revision: (one.result.value, one.stage.value if one.stage else None) for one in report.revisions}


def of(report: Report, revision: str) -> Outcome:
    return next(one for one in report.revisions if one.revision == revision)


OK = ("ok", None)
ODD = {
    "ends the process": ("raise SystemExit(3)", "it ends the process, with SystemExit(3)"),
    "ends it at once": ("import os; os._exit(4)", "it ends the process, with SystemExit(4)"),
    "asks and takes no for no answer": (
        "while True:\n        try:\n            input('sure? ')\n        except Exception:\n            pass",
        "it waits for an answer on the terminal: a migration has nobody to ask",
    ),
    "hides an error": (
        "try:\n        op.execute('SELECT nothing')\n    except Exception:\n        pass",
        "current transaction is aborted, commands ignored until end of transaction block",
    ),
    "closes the connection": ("op.get_bind().close()", "closed"),
    "takes the version table away": ("op.execute('DROP TABLE alembic_version')", "alembic_version"),
    "forgets where everything is": (
        "op.execute(\"SELECT set_config('search_path', '', false)\")",
        'relation "alembic_version" does not exist',
    ),
}


@pytest.mark.parametrize(
    "odd", [pytest.param(name, marks=() if name == "ends it at once" else pytest.mark.slow) for name in ODD]
)
def test_a_revision_that_misbehaves_is_charged_and_the_walk_goes_on(
    odd: str, layout: Layout, scratch_admin: str
) -> None:
    code, error = ODD[odd]
    layout.revision("2", "1", up=code, down="pass")
    layout.revision("3", "1", up=COLUMN, down=NO_COLUMN)
    layout.revision("4", "2")
    report = judged(layout, scratch_admin)
    assert results(report) == {"1": OK, "2": ("failed", "upgrade"), "3": OK, "4": ("skipped", None)}
    assert error in (of(report, "2").error or "")
    assert of(report, "4").error == "it stands on 2, whose upgrade fails: nothing is known of this one"


@pytest.mark.slow
def test_an_empty_history_is_right(tmp_path: Path, scratch_admin: str) -> None:
    layout = Layout(tmp_path / "project")
    (layout.folder / "alembic/versions").mkdir()
    report = judged(layout, scratch_admin)
    assert (report.revisions, report.ways, report.failed) == ((), (), False)


@pytest.mark.slow
def test_a_revision_without_a_downgrade_is_charged(layout: Layout, scratch_admin: str) -> None:
    path = layout.revision("2", "1")
    path.write_text(path.read_text().partition("def downgrade")[0])
    report = judged(layout, scratch_admin)
    assert results(report) == {"1": OK, "2": ("failed", "downgrade")}
    assert of(report, "2").findings[0].instead == "write downgrade(): the revision has none"


@pytest.mark.slow
def test_a_setting_left_in_the_session_is_noted_and_does_not_reach_the_next_revision(
    layout: Layout, scratch_admin: str
) -> None:
    layout.revision("2", "1", up="op.execute('SET search_path = public, pg_catalog')", down="pass")
    layout.revision("3", "2", up='op.execute("CREATE TEMP TABLE t (a int)")', down="pass")
    report = judged(layout, scratch_admin)
    assert results(report) == {"1": OK, "2": OK, "3": OK}
    note = "it leaves search_path of its session changed, for whatever runs after it in the same command"
    assert of(report, "2").notes == (note,)


def test_what_works_on_empty_tables_alone_is_charged_and_built_upon(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1", up='op.add_column("t_1", sa.Column("b", sa.Integer(), nullable=False))', down=NO_COLUMN)
    layout.revision("3", "2", up='op.create_index("ix", "t_1", ["b"])', down='op.drop_index("ix")')
    report = judged(layout, scratch_admin)
    assert results(report) == {"1": OK, "2": ("failed", "rows"), "3": OK}
    (finding,) = of(report, "2").findings
    assert finding.message == 'upgrade of 2 fails when `t_1` has rows: column "b" contains null values'
    assert finding.instead.splitlines()[0] == 'op.add_column("t_1", sa.Column("b", ..., nullable=True))'
    assert results(judged(layout, scratch_admin, Settings(rows=0))) == {"1": OK, "2": OK, "3": OK}


@pytest.mark.slow
def test_many_repairs_leave_the_others_alone(layout: Layout, scratch_admin: str) -> None:
    for number in range(2, 12):
        up, down = (COLUMN, "pass") if number == 4 else ("pass", "pass")
        if number % 3 == 0:
            up, down = f'op.execute("CREATE TABLE u_{number} (a int)")', "raise ValueError('no')"
        layout.revision(str(number), str(number - 1), up=up, down=down)
    report = judged(layout, scratch_admin)
    failed = {name: stage for name, (result, stage) in results(report).items() if result != "ok"}
    assert failed == {"3": "downgrade", "4": "after-downgrade", "6": "downgrade", "9": "downgrade"}


@pytest.mark.slow
def test_an_irreversible_revision_is_stepped_over(layout: Layout, scratch_admin: str) -> None:
    path = layout.revision("2", "1", up=COLUMN, down="raise NotImplementedError")
    path.write_text(path.read_text().replace("depends_on", 'irreversible = "no way"\ndepends_on'))
    layout.revision("3", "2")
    report = judged(layout, scratch_admin)
    assert results(report) == {"1": OK, "2": ("irreversible", None), "3": OK}
    assert [(way.start, way.end, way.stopped, way.failed) for way in report.ways] == [
        ("base", "head", None, False), ("head", "2", "2 is irreversible", False)
    ]  # fmt: skip
    assert not report.failed


@pytest.mark.slow
def test_the_order_of_columns_fails_only_when_asked_to(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1", up=COLUMN, down=NO_COLUMN)
    layout.revision(
        "3", "2", up='op.drop_column("t_1", "a")', down='op.add_column("t_1", sa.Column("a", sa.Integer()))'
    )
    outcome = of(judged(layout, scratch_admin), "3")
    assert (outcome.result.value, outcome.column_order_only) == ("ok", True)
    assert results(judged(layout, scratch_admin, Settings(strict=True)))["3"][0] == "failed"


def test_only_one_revision_is_checked_and_those_below_are_built(layout: Layout, scratch_admin: str) -> None:
    layout.revision("22", "1", up=COLUMN, down="pass")
    layout.revision("33", "22")
    layout.revision("44", "33")
    assert results(judged(layout, scratch_admin, Settings(only=("3",)))) == {"33": OK}
    assert results(judged(layout, scratch_admin, Settings(since="22"))) == {"33": OK, "44": OK}
    with pytest.raises(ConfigurationError, match="7 is no revision of this history; nothing was checked"):
        judged(layout, scratch_admin, Settings(only=("7",)))


@pytest.mark.slow
def test_a_base_that_does_not_go_up_is_told(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1", up="op.execute('nonsense')")
    layout.revision("3", "2")
    report = judged(layout, scratch_admin, Settings(only=("3",)))
    assert results(report) == {"3": ("skipped", None)}
    assert of(report, "3").error == "it stands on 2, whose upgrade fails: nothing is known of this one"


def git(folder: Path, *words: str) -> None:
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    environment = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": "/usr/bin:/bin"}
    subprocess.run(["git", *settings, *words], cwd=folder, env=environment, check=True, capture_output=True)


@pytest.mark.slow
def test_since_a_branch_checks_what_this_one_adds_or_edits(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "x"], ["switch", "-qc", "mine"]):
        git(layout.folder, *words)
    layout.revision("3", "2")
    assert results(judged(layout, scratch_admin, Settings(since="main"))) == {"3": OK}
    layout.revision("2", "1", up="pass", down="pass")
    assert results(judged(layout, scratch_admin, Settings(since="main"))) == {"2": OK, "3": OK}
    with pytest.raises(ConfigurationError, match=r"--since=nowhere is neither a revision .* nor a branch"):
        judged(layout, scratch_admin, Settings(since="nowhere"))


def roles(admin: str, like: str) -> int:
    with closing(scratch.connect(admin)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE %s", (like,))
        return int((cursor.fetchone() or (0,))[0])


def databases(admin: str, urls: list[str]) -> int:
    names = [url.rpartition("/")[2].partition("?")[0] for url in urls]
    with closing(scratch.connect(admin)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = ANY (%s)", (names,))
        return int((cursor.fetchone() or (0,))[0])


def test_roles_are_compared_and_gone_afterwards(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1", up='op.execute("CREATE ROLE roundtrip_left")', down="pass")
    layout.revision("3", "2", up='op.execute("ALTER ROLE roundtrip_left LOGIN")',
                    down='op.execute("ALTER ROLE roundtrip_left NOLOGIN")')  # fmt: skip
    report = judged(layout, scratch_admin)
    assert results(report) == {"1": OK, "2": ("failed", "after-downgrade"), "3": OK}
    assert [(one.kind, one.object) for one in of(report, "2").differences] == [("role", "roundtrip_left")]
    assert (roles(scratch_admin, "roundtrip_left"), report.left) == (0, ())


KILLED = """
import sys
from pathlib import Path
from app.migrations import roundtrip
from app.migrations.project import open_project

with open_project(Path(sys.argv[1])) as project:
    roundtrip.check(project, sys.argv[2])
"""


@pytest.mark.parametrize("time", [pytest.param(1, id="in the walk"), pytest.param(3, id="on the whole way")])
def test_a_role_that_a_killed_run_left_is_gone_after_the_next(
    layout: Layout, scratch_admin: str, tmp_path: Path, time: int
) -> None:
    name = f"roundtrip_killed_{time}"
    layout.revision("2", "1", up=f"op.execute('CREATE ROLE {name}')", down=f"op.execute('DROP ROLE {name}')")
    count = "upgrade.times = getattr(upgrade, 'times', 0) + 1"
    layout.revision("3", "2", up=f"import os\n    {count}\n    if upgrade.times == {time}: os.kill(os.getpid(), 9)")
    run = [sys.executable, "-c", KILLED, str(layout.folder), scratch_admin]
    assert subprocess.run(run, check=False, capture_output=True).returncode == -9
    assert roles(scratch_admin, name) == 1
    other = Layout(tmp_path / "other")
    other.revision("1")
    done = subprocess.run([*run[:3], str(other.folder), scratch_admin], check=False, capture_output=True, text=True)
    assert (done.returncode, roles(scratch_admin, name)) == (0, 0), done.stderr


def test_a_role_of_a_run_that_lives_and_one_of_nobodys_stay(layout: Layout, scratch_admin: str) -> None:
    with closing(scratch.connect(scratch_admin)) as connection:
        raw.execute(connection, "CREATE ROLE roundtrip_alive; CREATE ROLE roundtrip_nobodys")
        try:
            with closing(Signature(lambda: scratch.connect(scratch_admin))) as signature:
                signature.put([Key("role", "roundtrip_alive"), Key("role", "roundtrip_gone")])
                judged(layout, scratch_admin)
                assert roles(scratch_admin, "roundtrip_alive") == 1
            judged(layout, scratch_admin)
            assert (roles(scratch_admin, "roundtrip_alive"), roles(scratch_admin, "roundtrip_nobodys")) == (0, 1)
        finally:
            raw.execute(connection, "DROP ROLE IF EXISTS roundtrip_alive; DROP ROLE roundtrip_nobodys")


def test_an_interrupt_passes_and_leaves_nothing(
    layout: Layout, scratch_admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.revision("2", "1", up="raise KeyboardInterrupt")
    made: list[str] = []
    url_of = scratch._url_of
    monkeypatch.setattr(scratch, "_url_of", lambda admin, name: made.append(url_of(admin, name)) or made[-1])  # type: ignore[func-returns-value]
    with pytest.raises(KeyboardInterrupt):
        judged(layout, scratch_admin)
    mine = [url for url in made if scratch.SCRATCH_PREFIX in url]
    assert (len(mine) > 0, databases(scratch_admin, mine)) == (True, 0)


@pytest.mark.slow
def test_two_heads_are_both_walked(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1")
    layout.revision("3", "1", depends="2")
    layout.revision("4")
    report = judged(layout, scratch_admin)
    assert set(results(report).values()) == {OK}
    assert (report.models, report.failed) == (None, False)


def test_what_is_said_along_the_way_is_what_is_found(layout: Layout, scratch_admin: str) -> None:
    layout.revision("2", "1")
    said: list[tuple[str, int, int]] = []
    with open_project(layout.folder) as project:
        roundtrip.check(project, scratch_admin, said=lambda one, done, total: said.append((one.revision, done, total)))
    assert said == [("1", 1, 2), ("2", 2, 2)]
