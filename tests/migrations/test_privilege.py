import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrations import privilege
from app.migrations.programs import find_server_programs
from tests.migrations import children

pytestmark = pytest.mark.slow

STATE = "privilege.STATE_PLACES = (Path(sys.argv[2]),)\n"
USE = """
url = server.open_database(private, "app")
assert server.open_database(private, "app") == url
print(private.data.stat().st_uid, private.data.resolve())
"""
STOP = "print(server.stop_all(root))\n"


@pytest.fixture
def state() -> Iterator[Path]:
    """The folder of state folders: every user may pass it, as /var/lib."""
    folder = Path(tempfile.mkdtemp(prefix="state-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def bounded(capability: str) -> list[str]:
    return ["setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}"]


def test_root_with_namespaces_runs_the_server_in_one_and_the_data_are_roots(tmp_path: Path) -> None:
    if not children.IS_ROOT or not children.as_ordinary_user():
        pytest.skip("this is about root")
    account = privilege.choose(tmp_path, find_server_programs())
    assert (account.prefix[0], account.uid, account.owner) == ("unshare", None, 0)
    assert account.run(["id", "-u"], tmp_path).stdout.strip() == str(children.NOBODY)
    assert tmp_path.stat().st_uid == 0


def test_an_ordinary_user_without_a_name_gets_one_in_a_namespace(tmp_path: Path) -> None:
    command = children.start(USE + STOP, tmp_path, wrapped_in=children.as_ordinary_user(123456))
    assert children.finish(command).splitlines()[0].startswith("123456 ")


@pytest.mark.parametrize("lacking", [[], bounded("sys_ptrace")], ids=["all rights", "as in docker"])
def test_root_without_namespaces_uses_a_spare_uid_and_a_state_folder(
    tmp_path: Path, state: Path, lacking: list[str]
) -> None:
    code = STATE + USE + "print(server.open_database(private, 'second') != url)\n" + STOP
    command = children.start_without_namespaces(code, tmp_path, state, wrapped_in=lacking)
    first, second, third = children.finish(command).splitlines()
    uid, data = first.split(" ")
    assert int(uid) == privilege.FIRST_UID
    assert Path(data).parents[1] == state / privilege.STATE_NAME
    assert (tmp_path / ".postgres/data").readlink() == Path(data)
    assert stat.S_IMODE(Path(data).stat().st_mode) == 0o700
    assert {path.stat().st_uid for path in Path(data).rglob("*")} == {int(uid)}
    assert (second, third) == ("True", "['.postgres/data']")


def test_after_kill_9_the_spare_uid_goes_on_with_its_data(tmp_path: Path, state: Path) -> None:
    code = (
        STATE
        + USE
        + "import os, signal; os.kill(postmaster.find(private.data).pid, signal.SIGKILL)\n"
        + USE
        + "assert len(list(Path(sys.argv[2]).glob('*/data-*'))) == 1\n"
        + STOP
    )
    command = children.start_without_namespaces(code, tmp_path, state)
    before, after, stopped = children.finish(command).splitlines()
    assert (before, stopped) == (after, "['.postgres/data']")


def test_data_of_the_spare_uid_go_on_being_its_own_where_namespaces_are_allowed(tmp_path: Path, state: Path) -> None:
    first = children.finish(children.start_without_namespaces(STATE + USE + STOP, tmp_path, state))
    assert children.finish(children.start(STATE + USE + STOP, tmp_path, state)) == first


def test_data_made_in_a_namespace_are_not_taken_where_none_is_allowed(tmp_path: Path, state: Path) -> None:
    children.finish(children.start(USE + STOP, tmp_path))
    code = STATE + "try: server.open_database(private, 'app')\nexcept server.ConfigurationError as error: print(error)"
    first, second = children.finish(children.start_without_namespaces(code, tmp_path, state)).splitlines()
    assert "belongs to uid 0, whose server needs a user namespace" in first
    assert second.endswith(f"mv {tmp_path / '.postgres/data'} {tmp_path / '.postgres/data-old'}")


def test_programs_that_the_spare_uid_cannot_reach_are_copied_once(tmp_path: Path, state: Path) -> None:
    closed = tmp_path / "closed"
    copy = children.copy_of_the_wheel(find_server_programs(), closed)
    closed.chmod(0o700)
    code = (
        STATE
        + "private = private._replace(programs=private.programs._replace(bin=Path(sys.argv[3])))\n"
        + USE
        + "assert server.stop_all(root)\n"
        + USE
        + STOP
    )
    children.finish(children.start_without_namespaces(code, tmp_path, state, copy))
    assert len(list((state / privilege.STATE_NAME).glob("programs-18-*/package/pg/bin/postgres"))) == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_root_who_may_do_neither_is_told_to_be_somebody_else(tmp_path: Path, state: Path) -> None:
    code = STATE + "try: server.open_database(private, 'app')\nexcept server.ConfigurationError as error: print(error)"
    command = children.start_without_namespaces(code, tmp_path, state, wrapped_in=bounded("setuid"))
    first, second = children.finish(command).splitlines()
    assert "may neither make a user namespace nor act as another user" in first
    assert second == "  next: run the same command as an ordinary user"


def test_root_in_the_folder_of_somebody_else_runs_the_server_as_that_one(tmp_path: Path) -> None:
    """As with sudo; the owner can go on afterwards, with a log and a lock of his own."""
    if not children.IS_ROOT:
        pytest.skip("only root can be somebody else")
    place = Path(tempfile.mkdtemp(prefix="theirs-"))
    try:
        place.chmod(0o755)
        (place / ".postgres").mkdir(mode=0o700)
        for folder in (place, place / ".postgres"):
            os.chown(folder, children.NOBODY, children.NOBODY)  # made just above
        children.finish(children.start(USE + STOP, place))
        assert {path.lstat().st_uid for path in place.rglob("*")} == {children.NOBODY}
    finally:
        shutil.rmtree(place)


def test_a_state_folder_of_somebody_else_is_not_used(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not children.IS_ROOT:
        pytest.skip("only root has a state folder")
    open_to_all, good = state / "open", state / "good"
    (open_to_all / privilege.STATE_NAME).mkdir(parents=True)
    (open_to_all / privilege.STATE_NAME).chmod(0o777)
    good.mkdir()
    monkeypatch.setattr(privilege, "STATE_PLACES", (open_to_all, good))
    assert privilege.state_folder() == good / privilege.STATE_NAME


def test_the_harness_really_forbids_namespaces(tmp_path: Path) -> None:
    code = (
        "import subprocess; print(subprocess.run(['unshare', '--user', 'true'], stderr=subprocess.DEVNULL).returncode)"
    )
    assert children.finish(children.start_without_namespaces(code, tmp_path)) != "0"
