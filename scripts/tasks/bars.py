"""Bars for what takes longer than a second, on a terminal. Prints; measures nothing."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

    from app.migrations import dump_progress

AFTER = 1.0
"""Seconds without a bar."""
WIDTH = 20


@contextmanager
def counted(text: str, total: int | None, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Yield what counts bytes, from any thread."""
    if quiet or not _can_draw():
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(WIDTH), DownloadColumn(), TimeElapsedColumn())
    with _late(Progress(*columns, transient=True), text, total) as update:
        yield lambda count: update(advance=count)


@contextmanager
def followed(text: str, quiet: bool = False) -> Iterator["dump_progress.Advance | None"]:
    """Yield what shows how far a dump or a restore is, and at which table; None where nothing can be drawn."""
    if quiet or not _can_draw():
        yield None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(WIDTH), TaskProgressColumn(), TimeElapsedColumn())
    with _late(Progress(*columns, transient=True), text, None) as update:

        def advance(seen: "dump_progress.Progress") -> None:
            update(completed=seen.done, total=seen.total or None, description=f"{text}  {_short(seen.doing)}")

        yield advance


@contextmanager
def steps(text: str, quiet: bool = False) -> Iterator[Callable[[int, int, str], None]]:
    """Yield what shows how many steps of how many are done, and the name of the last one."""
    if quiet or not _can_draw():
        yield lambda _done, _total, _name: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(WIDTH), MofNCompleteColumn(), TimeElapsedColumn())
    with _late(Progress(*columns, transient=True), text, None) as update:
        yield lambda done, total, name: update(completed=done, total=total, description=f"{text}  {_short(name)}")


@contextmanager
def _late(bar: "Progress", text: str, total: int | None) -> Iterator[Callable[..., None]]:
    """Yield what updates the one task of `bar`, which appears with the first update after a second."""
    task, lock, began, shown = bar.add_task(text, total=total), threading.Lock(), time.monotonic(), [False]

    def update(**changes: Any) -> None:
        with lock:
            bar.update(task, **changes)
            if not shown[0] and time.monotonic() - began > AFTER:
                shown[0] = True
                bar.start()

    try:
        yield update
    finally:
        bar.stop()


def _can_draw() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


def _short(doing: str) -> str:
    from rich.markup import escape

    return escape(doing[:24].ljust(24))
