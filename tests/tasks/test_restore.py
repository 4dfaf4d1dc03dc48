"""`inv db.restore`: what it says, what it asks, and that its last line can be pasted."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.migrations import clients
from tests.clones import Clone
from tests.migrations.chains import ask
from tests.migrations.restores import DESTROY, Shop, shop

pytestmark = pytest.mark.slow


@pytest.fixture
def prod(clone: Clone, scratch_admin: str, tmp_path: Path) -> Iterator[tuple[Clone, Shop]]:
    with shop(scratch_admin, tmp_path / "backups", "MassaCorp") as made:
        clone.environment |= {"DATABASE_URL": made.url, "APP_ENV": "prod", "BACKUP_DIR": str(tmp_path / "backups")}
        yield clone, made


def test_a_protected_database_is_restored_when_that_is_said(prod: tuple[Clone, Shop]) -> None:
    clone, ours = prod
    before = ours.dump()
    archive = ours.site.make()
    ask(ours.url, DESTROY)
    asked = clone.inv("db.restore", ok=False)
    assert (asked.code, ours.names()) == (2, {ours.name})
    assert "there is no terminal to ask at; nothing was changed" in asked.err
    assert f'will put it in the place of "{ours.name}"' in asked.out
    done = clone.inv("db.restore", f"--backup={archive.name}", "--yes")
    assert ours.dump() == before
    assert (
        f'done: "{ours.name}" is the restored database, at abc123, 266 rows in 5 tables equal to the backup' in done.out
    )
    (kept,) = ours.names() - {ours.name}
    command = re.search(r"when it is no longer needed: (psql .+)", done.out)
    assert command is not None
    programs = clients.find("", "", 18)
    subprocess.run(command[1].replace("psql", str(programs.bin / "psql"), 1), shell=True, check=True)
    assert ours.names() == {ours.name}
    assert kept in done.out


def test_a_table_is_rescued_without_a_question(prod: tuple[Clone, Shop]) -> None:
    clone, ours = prod
    ours.site.make()
    done = clone.inv("db.restore", f"--into={ours.name}_part", '--table=public.Or"ders 100%', "--table=part")
    assert "notice: left out, as it belongs to tables that were not asked for: FK CONSTRAINT" in done.out
    assert "65 rows in 3 tables equal to the backup" in done.out
    assert ours.names() == {ours.name, f"{ours.name}_part"}


def test_a_lost_name_and_a_wrong_backup_are_answered_with_what_there_is(prod: tuple[Clone, Shop]) -> None:
    clone, ours = prod
    archive = ours.site.make()
    done = clone.inv("db.restore", "--backup=1999", ok=False)
    assert (done.code, archive.name in done.err) == (2, True)
