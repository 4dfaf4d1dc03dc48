"""The whole way up and the whole way down, each in one go on empty tables, compared with the walk step by step."""

from collections.abc import Callable, Sequence

from app.migrations import roundtrip_errors, roundtrip_snapshot
from app.migrations.project import Project
from app.migrations.roundtrip_reading import Reader
from app.migrations.roundtrip_report import Result, Way
from app.migrations.roundtrip_site import Site
from app.migrations.roundtrip_snapshot import Snapshot
from app.migrations.roundtrip_steps import Done, Failed, Step, Walk, drive
from app.migrations.roundtrip_touch import UNKNOWN
from app.migrations.roundtrip_walk import Walker


def walk(project: Project, site: Site, template: str | None, walker: Walker) -> tuple[Way, ...]:
    """Go up to where the walk ended and down as far as it leads, in a database of their own.

    The walk's own database is left for that: roles are the cluster's, and would be there already.
    """
    head, first, applied = walker.here, walker.first, tuple(walker.applied)
    above = applied[len(walker.course.base) :]
    if not above:
        return ()
    site.leave()
    start, end = _name(walker.course.base), "head" if not walker.dead else above[-1]
    known = {one.revision: one for one in walker.outcomes}
    stop = next((r for r in reversed(above) if r not in known or known[r].result is not Result.OK), None)
    below = above[above.index(stop) + 1 :] if stop else above
    source = "".join(site.source(revision) for revision in above)
    with site.another(template, above) as (url, watcher):
        reader = Reader(watcher, shortcuts=False)
        site.disregard_others(reader, above)
        up = _Way(above, True, lambda revision: site.sign_roles(watcher, revision))
        drive(project, up.walk(), lambda: (url, watcher))
        if up.failed is not None:
            return (Way(start, end, _told(project, up), failed=True),)
        ways = [_compared(Way(start, end), head, reader, source)]
        down = _Way(tuple(reversed(below)), False, lambda _: None)
        drive(project, down.walk(), lambda: (url, watcher))
        if down.failed is not None:
            return (*ways, Way(end, start, _told(project, down), failed=True))
        if stop is None:
            return (*ways, _compared(Way(end, start), first, reader, source))
        reason = "is irreversible" if stop in known and known[stop].result is Result.IRREVERSIBLE else "fails by itself"
        return (*ways, Way(end, stop, f"{stop} {reason}"))


class _Way:
    """Steps one after the other, up to the first that fails."""

    def __init__(self, revisions: Sequence[str], up: bool, done: Callable[[str], None]) -> None:
        self.revisions, self.up, self.done = revisions, up, done
        self.failed: tuple[str, Failed] | None = None

    def walk(self) -> Walk:
        for revision in self.revisions:
            result = yield Step(revision, self.up)
            if not isinstance(result, Done):
                self.failed = revision, result or Failed(RuntimeError("the step was not run"))
                return
            self.done(revision)


def _compared(way: Way, expected: Snapshot, reader: Reader, source: str) -> Way:
    found = reader.read(UNKNOWN, source)
    return way._replace(differences=tuple(roundtrip_snapshot.compare(expected, found)))


def _told(project: Project, way: _Way) -> str:
    if way.failed is None:
        return ""
    revision, failed = way.failed
    function = "upgrade" if way.up else "downgrade"
    return f"{function} of {revision} fails on the way in one go: {roundtrip_errors.told(failed.error, project).text}"


def _name(base: Sequence[str]) -> str:
    return base[-1] if base else "base"
