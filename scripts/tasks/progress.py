"""The bars beside a change that takes longer than a second, on a terminal. Prints; decides nothing."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scripts.tasks import screen

if TYPE_CHECKING:
    from rich.progress import Progress

    from app.migrations.plan import Plan
    from app.migrations.recorder import Done
    from scripts.tasks.workplace import Workplace

AFTER = 1.0
"""Seconds without a bar, and of one revision without a question to the server."""
ASK_EVERY = 0.5
WIDTH = 48


@contextmanager
def shown(place: "Workplace", planned: "Plan") -> Iterator["Callable[[Done], None]"]:
    """Yield what prints one line for each step that is done; on a terminal, bars stand below the lines."""
    if not _is_capable_terminal():
        yield screen.step
        return
    bars = Bars(place, planned)
    bars.start()
    try:
        yield bars.done
    finally:
        bars.stop()


def _is_capable_terminal() -> bool:
    if not sys.stdout.isatty():
        return False
    from rich.console import Console

    return not Console().is_dumb_terminal


class Bars:
    """Which revision of how many, since when; and the server's own account of an index build or a rewrite."""

    def __init__(self, place: "Workplace", planned: "Plan") -> None:
        from rich.console import Console

        self.place = place
        self.steps = planned.steps
        self.console = Console(highlight=False, soft_wrap=True)
        self.at = 0
        self.began = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to count; nothing is drawn yet."""
        self.thread.start()

    def done(self, step: "Done") -> None:
        """Print the line of a step; the one after it in the plan is at work now."""
        screen.step(step, self.console)
        self.at = 1 + next((n for n, one in enumerate(self.steps) if one.revision == step.revision), self.at)
        self.began = time.monotonic()

    def stop(self) -> None:
        """Take the bars away."""
        self.over.set()
        self.thread.join(AFTER * 3)

    def _run(self) -> None:
        if self.over.wait(AFTER):
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(16),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
        )
        said_here = sys.stderr.isatty()  # else what is announced belongs into the file that stderr goes to
        with Progress(
            *columns, console=self.console, transient=True, redirect_stderr=said_here, refresh_per_second=4
        ) as drawn:
            self.console.show_cursor()  # a signal may end the process at any time
            self._draw(drawn)

    def _draw(self, drawn: "Progress") -> None:
        from app.migrations.progress import Reporter

        reporter = Reporter(self.place.engine, self.place.name)
        whole = drawn.add_task("", total=len(self.steps))
        part, relation = None, ""
        drawn.tasks[0].start_time = drawn.get_time() - AFTER
        while True:
            at = min(self.at, len(self.steps) - 1)
            one = self.steps[at]
            text = f"revision {at + 1} of {len(self.steps)}  {one.revision}  {one.title}"
            drawn.update(whole, completed=self.at, description=_fitting(text))
            report = reporter.ask() if time.monotonic() - self.began > AFTER else None
            if part is not None and (report is None or report.relation != relation):
                drawn.remove_task(part)
                part = None
            if report is not None:
                relation = report.relation
                part = drawn.add_task("") if part is None else part
                drawn.update(
                    part, description=_fitting(report.described), completed=report.done, total=report.total or None
                )
            if self.over.wait(ASK_EVERY):
                break
        reporter.close()


def _fitting(text: str) -> str:
    """Return as much as leaves room for the bar in 80 columns, safe from being read as markup."""
    from rich.markup import escape

    return escape(f"  {text}"[:WIDTH].ljust(WIDTH))
