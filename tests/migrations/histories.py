"""Histories to test with, as revisions and as files, and Alembic's own answers about them."""

import random
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import Revision as AlembicRevision
from alembic.script.revision import RevisionMap

from app.migrations.headers import Revision


class Answers(NamedTuple):
    """What is asked of both."""

    heads: tuple[str, ...]
    bases: tuple[str, ...]
    version_rows: tuple[str, ...]
    branch_points: tuple[str, ...]
    merge_points: tuple[str, ...]
    order: tuple[str, ...]
    labels: dict[str, frozenset[str]]


def of_map(known: RevisionMap) -> Answers:
    loaded = {key: each for key, each in known._revision_map.items() if each and key == each.revision}
    walk = known.iterate_revisions("heads", "base", inclusive=True, assert_relative_length=False)
    return Answers(
        tuple(known.heads),
        tuple(known.bases),
        tuple(known._real_heads),
        tuple(each.revision for each in loaded.values() if each.is_branch_point),
        tuple(each.revision for each in loaded.values() if each.is_merge_point),
        tuple(each.revision for each in walk),
        {each.revision: frozenset(each.branch_labels) for each in loaded.values()},
    )


def revision_map(revisions: Iterable[Revision]) -> RevisionMap:
    return RevisionMap(
        lambda: [
            AlembicRevision(each.id, each.parents or None, each.depends_on or None, each.labels or None)
            for each in revisions
        ]
    )


def script_directory(folder: Path, ini: str = "alembic.ini", section: str = "alembic") -> ScriptDirectory:
    """Load with both files of settings, as the command does in this folder."""
    config = Config(str(folder / ini), toml_file=str(folder / "pyproject.toml"), ini_section=section)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = ScriptDirectory.from_config(config)
        _ = script.revision_map._revision_map
    return script


def grown(seed: int, size: int) -> list[Revision]:
    """A history with branches, merges, several bases, labels and dependencies, in the order of a folder."""
    chance = random.Random(seed)
    revisions: list[Revision] = []
    names: list[str] = []
    for number in range(chance.randint(1, size)):
        ids = [each.id for each in revisions]
        near = ids[-chance.choice([1, 2, 5, 14]) :]
        count = min(len(near), chance.choices([0, 1, 2, 3], [1, 8, 2, 0.4])[0])
        needed = [chance.choice(ids + names)] if ids and chance.random() < 0.25 else []
        labels = (f"label{number}",) if chance.random() < 0.15 else ()
        revisions.append(Revision(f"r{number:03}", tuple(chance.sample(near, count)), tuple(needed), labels))
        names += labels
    chance.shuffle(revisions)
    return revisions


def write(folder: Path, *revisions: Revision, name: str = "{id}_x.py") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in revisions:
        text = header(each.id, each.parents, each.depends_on, each.labels)
        (folder / name.format(id=each.id)).write_text(text)


def header(id_: str, parents: Sequence[str] = (), depends_on: Sequence[str] = (), labels: Sequence[str] = ()) -> str:
    down = None if not parents else parents[0] if len(parents) == 1 else tuple(parents)
    return (
        f'"""the title of {id_}\n\nRevision ID: {id_}\n"""\n\nfrom alembic import op\n\n'
        f"# revision identifiers, used by Alembic.\nrevision = {id_!r}\ndown_revision = {down!r}\n"
        f"branch_labels = {tuple(labels) or None!r}\ndepends_on = {tuple(depends_on) or None!r}\n\n\n"
        'def upgrade() -> None:\n    op.execute("SELECT 1")\n\n\ndef downgrade() -> None:\n    pass\n'
    )
