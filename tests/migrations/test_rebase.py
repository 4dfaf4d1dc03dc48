"""The road of a rebase: which environments stand in the way, and that the files come back whatever happens."""

import os
import signal
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import compile as compile_file

import pytest

from app.migrations import rebase
from app.migrations.errors import ConfigurationError, Interrupted, MigrationError, Refused
from app.migrations.headers import Revision
from app.migrations.history import History
from app.migrations.rebase import Rewrite
from app.migrations.reparenting import plan
from app.migrations.whereabouts import Whereabout

HISTORY = History([Revision("p"), Revision("m", ("p",)), Revision("f", ("p",), path="versions/f.py")])
MOVING = plan(HISTORY, {"p", "m"}, "m")
NONE, BOTH = frozenset({"p"}), frozenset({"p", "m", "f"})
FILE = b'revision = "f"\r\ndown_revision = "p"  # \xc3\xa9'


def environment(name: str, applied: frozenset[str] | None, protected: bool = False, asked: bool = True) -> Whereabout:
    return Whereabout(name, applied, protected, "" if applied is not None else "no answer", asked)


def test_an_environment_that_has_nothing_of_the_branch_stands_in_no_way() -> None:
    places = [
        environment("prod", NONE, protected=True),
        environment("dev", NONE),
        environment("test", frozenset()),
        environment("docker", None, asked=False),
        environment("staging", None, protected=True, asked=False),
    ]
    assert rebase.affected(places, MOVING, offline=False) == []


def test_one_that_has_applied_it_goes_down() -> None:
    places = [environment("dev", BOTH), environment("test", NONE)]
    assert rebase.affected(places, MOVING, offline=False) == places[:1]


@pytest.mark.parametrize("offline", [False, True], ids=["as usual", "with --offline"])
def test_a_protected_one_that_has_applied_it_is_refused(offline: bool) -> None:
    with pytest.raises(Refused) as raised:
        rebase.affected([environment("dev", BOTH), environment("prod", BOTH, True)], MOVING, offline)
    assert str(raised.value) == (
        "error: prod has applied f, and is protected: what is applied there keeps its parents; nothing was changed\n"
        "  next: inv db.merge"
    )


def test_one_that_has_an_address_and_does_not_answer_needs_offline() -> None:
    places = [environment("dev", BOTH), environment("staging", None, True)]
    with pytest.raises(Refused) as raised:
        rebase.affected(places, MOVING, offline=False)
    assert raised.value.message == (
        "not known is what these have applied: staging: no answer; one that has applied f would not fit its files any"
        " more; nothing was changed"
    )
    assert (
        raised.value.hint == "inv env.check, then inv db.rebase; or, where none of them has it, inv db.rebase --offline"
    )
    assert rebase.affected(places, MOVING, offline=True) == places[:1]
    stopped = environment("dev", None)._replace(stopped=True)
    with pytest.raises(Refused) as raised:
        rebase.affected([stopped], MOVING, offline=False)
    assert raised.value.hint.startswith("inv db.status --env=dev, which starts the server, then inv db.rebase; or, ")


def test_the_rows_of_the_version_table_are_what_nothing_applied_needs() -> None:
    assert rebase.rows(HISTORY, BOTH) == ("f", "m")
    assert rebase.rows(HISTORY, NONE) == ("p",)
    depending = History([Revision("p"), Revision("m", ("p",)), Revision("f", ("p",), ("m",))])
    assert rebase.rows(depending, BOTH) == ("f",)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "versions/f.py"
    path.parent.mkdir()
    path.write_bytes(FILE)
    path.chmod(0o640)
    return path


def rewrites(file: Path) -> list[Rewrite]:
    return rebase.prepare(file.parents[1], HISTORY, MOVING)


def test_the_files_change_in_one_step_and_keep_their_mode(file: Path) -> None:
    before = set(file.parent.iterdir())
    with rebase.rewritten(rewrites(file)):
        assert file.read_bytes() == FILE.replace(b'"p"', b'"m"')
    assert file.read_bytes() == FILE.replace(b'"p"', b'"m"')
    assert file.stat().st_mode & 0o777 == 0o640
    assert set(file.parent.iterdir()) == before


@pytest.mark.parametrize("error", [ConfigurationError("x", "y"), KeyboardInterrupt(), ValueError()], ids=repr)
def test_whatever_ends_the_block_puts_them_back(file: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), rebase.rewritten(rewrites(file)):
        raise error
    assert file.read_bytes() == FILE
    assert file.stat().st_mode & 0o777 == 0o640


def test_sigterm_puts_them_back(file: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as raised, rebase.rewritten(rewrites(file)):
        os.kill(os.getpid(), signal.SIGTERM)
    assert raised.value.message == "stopped by SIGTERM; no revision is moved"
    assert file.read_bytes() == FILE
    assert signal.getsignal(signal.SIGTERM) == before


def test_of_several_files_those_that_were_changed_come_back(file: Path) -> None:
    other = file.with_name("g.py")
    other.write_bytes(FILE)
    changes = [*rewrites(file), Rewrite(other, b"what it held a moment ago", b"new")]
    with pytest.raises(ConfigurationError, match=r"g\.py was edited meanwhile"), rebase.rewritten(changes):
        pytest.fail("begun although a file is another now")
    assert (file.read_bytes(), other.read_bytes()) == (FILE, FILE)


def test_a_link_stays_a_link(file: Path) -> None:
    real = file.with_name("elsewhere.txt")
    file.rename(real)
    file.symlink_to(real)
    with rebase.rewritten(rewrites(file)):
        pass
    assert file.is_symlink()
    assert b'"m"' in real.read_bytes()


def test_what_python_has_compiled_of_the_old_text_is_gone(file: Path) -> None:
    compile_file(str(file), doraise=True)
    compiled = Path(cache_from_source(str(file)))
    assert compiled.exists()
    with rebase.rewritten(rewrites(file)):
        assert not compiled.exists()


def test_a_graph_that_would_not_hold_is_refused_before_anything(tmp_path: Path) -> None:
    history = History([Revision("p", (), ("f",)), Revision("m", ("p",)), Revision("f")])
    moving = plan(History([Revision("p"), Revision("m", ("p",)), Revision("f")]), {"p", "m"}, "m")
    with pytest.raises(MigrationError) as raised:
        rebase.prepare(tmp_path, history, moving)
    assert raised.value.message.startswith("with m below them, the revisions run in a circle (")
    assert raised.value.hint == "inv db.merge"


def test_a_file_that_cannot_be_put_back_is_named(file: Path) -> None:
    def lose() -> None:
        file.unlink()
        raise ValueError

    with pytest.raises(rebase.NotPutBackError) as raised, rebase.rewritten(rewrites(file)):
        lose()
    assert raised.value.message == f"{file} cannot be written: No such file or directory; it has the new parent still"


def test_a_folder_that_may_not_be_written_is_told_before_anything(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # permissions do not stop root
    with pytest.raises(ConfigurationError, match="cannot be changed: its folder may not be written"):
        rewrites(file)
