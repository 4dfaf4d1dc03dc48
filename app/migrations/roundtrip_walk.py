"""The walk through a history: each revision up, down and up again, compared each time, repaired where it failed."""

from collections.abc import Callable, Generator
from typing import NamedTuple

from app.migrations import roundtrip_errors, roundtrip_touch
from app.migrations.project import Project
from app.migrations.roundtrip_case import Case
from app.migrations.roundtrip_order import Course
from app.migrations.roundtrip_report import Outcome, Stage
from app.migrations.roundtrip_rows import Rows
from app.migrations.roundtrip_site import BrokenError, Site
from app.migrations.roundtrip_snapshot import Snapshot
from app.migrations.roundtrip_steps import Done, Failed, Step, Walk
from app.migrations.roundtrip_touch import NOTHING, UNKNOWN

Trying = Generator[Step | None, Done | Failed | None, Done | None]
"""Asks for steps like a walk, and returns how the last one ended: None where the revision could not go on."""


class Wish(NamedTuple):
    """What is asked for each revision: how many rows in every table, out of which seed; is the order of columns one."""

    rows: int = 20
    seed: int = 0
    strict: bool = False


class Walker:
    """One walk; `here` is the schema with the revisions that are `applied`, `dead` those that could not be."""

    def __init__(
        self, project: Project, course: Course, wish: Wish, site: Site, said: Callable[[Outcome, int, int], None]
    ) -> None:
        self.project, self.course, self.wish, self.site, self._say = project, course, wish, site, said
        self.applied: list[str] = list(course.base)
        self.dead: dict[str, str] = {}
        self.cases: dict[str, Case] = {}
        self.empty = False
        self.here = self.first = self._arrive()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Return what was found, in the order in which it was checked."""
        return tuple(case.outcome(self.wish.strict) for case in self.cases.values() if case.checked)

    def walk(self) -> Walk:
        """Go through the course."""
        done, total = 0, len(self.course.checked)
        for revision in self.course.steps:
            found = self.project.history[revision]
            case = self.cases[revision] = Case(found, self.site.source(revision), revision in self.course.checked)
            hindrance = self._hindrance(revision)
            if hindrance is not None:
                case.skip(hindrance)
            else:
                yield from self._check(case) if case.checked else self._build(case)
            if case.checked:
                done += 1
                self._say(case.outcome(self.wish.strict), done, total)

    def _hindrance(self, revision: str) -> str | None:
        """Return why a revision cannot be run, and remember that nothing above it can."""
        skipped = self.project.skipped.get(revision)
        if skipped is not None:
            self.dead[revision] = f"{revision}, which cannot be imported"
            return skipped.message
        culprit = next((self.dead[each] for each in self.project.history.needs(revision) if each in self.dead), None)
        if culprit is None:
            return None
        self.dead[revision] = culprit
        return f"it stands on {culprit}: nothing is known of this one"

    def _build(self, case: Case) -> Walk:
        result = yield from self._up(case)
        if result is not None:
            self.here = self._look(case, result)

    def _check(self, case: Case) -> Walk:
        """Take one revision through all its steps, to end with it applied and as its upgrade made it."""
        before = self.here
        self._fill(case, own=True)
        held, called = dict(self.rows.held), dict(self.site.reader.names)
        up = yield from self._up(case)
        if up is None:
            return
        self.here = self._look(case, up)
        if case.revision.irreversible is not None:
            return
        if not self.empty:
            self._fill(case)
        down = yield from self._down(case)
        if down is None:
            return
        after, names = self.here, dict(self.site.reader.names)
        case.compare(Stage.AFTER_DOWNGRADE, before, self._look(case, down))
        if not self.empty:
            case.lost = self.rows.unrestored(held, roundtrip_touch.both(up.touched, down.touched).written, called)
        again = yield Step(case.revision.id, True)
        if not isinstance(again, Done):
            self._fail(case, Stage.UPGRADE_AGAIN, again, up=True)
            yield from self._repair()
            return
        self.here = self._look(case, again)
        written = roundtrip_touch.both(down.touched, again.touched).written
        lost = self.rows.lost(written, [names[oid] for oid in written or () if oid in names])
        told = {(loss.table, loss.column) for loss in lost}
        case.lost = (*(loss for loss in case.lost if (loss.table, loss.column) not in told), *lost)
        if case.compare(Stage.AFTER_UPGRADE_AGAIN, after, self.here):
            yield from self._repair()
        elif self.empty:
            self.empty, self.unfilled = False, UNKNOWN

    def _up(self, case: Case) -> Trying:
        """Apply a revision; where it fails over rows, apply it to empty tables and go on there."""
        revision = case.revision.id
        result = yield Step(revision, True)
        over_rows = None
        if not isinstance(result, Done) and self.rows.any:
            over_rows = result
            yield from self._repair()
            if case.problems or (hindrance := self._hindrance(revision)) is not None:
                case.skip(hindrance or "")
                return None
            self.empty = True
            result = yield Step(revision, True)
        if not isinstance(result, Done):
            self.dead[revision] = f"{revision}, whose upgrade fails"
            yield from self._recover(case, Stage.UPGRADE, result)
            return None
        if over_rows is not None:
            self._fail(case, Stage.ROWS, over_rows, up=True)
        self.applied.append(revision)
        return result

    def _down(self, case: Case) -> Trying:
        """Undo a revision; where that fails over rows, undo it in a database with empty tables and go on there."""
        revision = case.revision.id
        result = yield Step(revision, False)
        over_rows = None
        if not isinstance(result, Done) and not self.empty and self.rows.any:
            over_rows = result
            yield from self._repair()
            if revision in self.dead:
                return None
            self.empty = True
            result = yield Step(revision, False)
        if not isinstance(result, Done):
            yield from self._recover(case, Stage.DOWNGRADE, result)
            return None
        if over_rows is not None:
            self._fail(case, Stage.ROWS, over_rows, up=False)
        return result

    def _fail(self, case: Case, stage: Stage, result: Failed | None, up: bool) -> None:
        error = result.error if isinstance(result, Failed) else RuntimeError("the step was not run")
        case.fail(stage, roundtrip_errors.told(error, self.project), up)

    def _recover(self, case: Case, stage: Stage, result: Failed | None) -> Walk:
        """Note that a step failed for good, and go on in a database that is as it was before it."""
        lacking = roundtrip_errors.stand_ins(result.error, self.project) if isinstance(result, Failed) else None
        if lacking is not None:
            case.skip(lacking)
        else:
            self._fail(case, stage, result, up=stage is Stage.UPGRADE)
        if result is None or not result.clean:
            yield from self._repair()
        elif self.empty:
            self.empty, self.unfilled = False, UNKNOWN

    def _repair(self) -> Walk:
        """Go to a clean database with what is applied; a revision that does not go up there is dead, and all above."""
        yield None
        while True:
            try:
                self.site.rebuild(tuple(self.applied))
            except BrokenError as broken:
                self._bury(broken)
            else:
                break
        self.here = self._arrive()

    def _bury(self, broken: BrokenError) -> None:
        """Charge a revision that went up over rows of ours, and does not without them."""
        gone = self.project.history.descendants([broken.revision])
        for revision in gone:
            self.dead[revision] = f"{broken.revision}, whose upgrade fails where the tables are empty"
        self.applied = [revision for revision in self.applied if revision not in gone]
        case = self.cases.get(broken.revision)
        if case is not None:
            case.fail(Stage.UPGRADE, roundtrip_errors.told(broken.error, self.project), up=True)

    def _arrive(self) -> Snapshot:
        """Look at a database that was just made: nothing of ours is in it."""
        self.rows = Rows(self.site.session, self.wish.rows, self.wish.seed, self.project.root)
        self.unfilled, self.empty = UNKNOWN, False
        return self.site.reader.read(UNKNOWN)

    def _look(self, case: Case, done: Done) -> Snapshot:
        """Read what a step has changed."""
        self.unfilled = roundtrip_touch.both(self.unfilled, done.touched)
        found = self.site.look(done.touched, case.source)
        if done.leaves:
            settings = ", ".join(done.leaves)
            case.note(f"it leaves {settings} of its session changed, for whatever runs after it in the same command")
        return found

    def _fill(self, case: Case, own: bool = False) -> None:
        """Give rows to the tables that were touched since, and remember what they hold."""
        only = self.unfilled.written
        unfilled = [*self.rows.fill(only), *(self.rows.own(case.revision.id) if own else ())]
        for table, reason in unfilled:
            case.note(f"no rows in {table}: {reason}")
        self.rows.hold(only, self.here.tables)
        self.unfilled = NOTHING
