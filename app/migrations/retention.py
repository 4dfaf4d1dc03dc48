"""Which backups go: names and dates in, what to delete out. Never touches a backup."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

YOUNG = timedelta(days=1)


class Backup(NamedTuple):
    """A backup that is listed: can it be restored, was that ever done, is there a single row in it?"""

    name: str
    started: datetime
    usable: bool
    proven: bool
    empty: bool = False


class Verdict(NamedTuple):
    """What happens to one backup, and why."""

    name: str
    deleted: bool
    reason: str


class Policy(NamedTuple):
    """How many usable backups stay, and whether, `now`, those younger than a day may go."""

    keep: int
    now: datetime
    young_too: bool = False


def decide(backups: Iterable[Backup], dead: Iterable[str], policy: Policy) -> list[Verdict]:
    """Return a verdict on each backup, the newest first, then on what is `dead`: left half-made by killed commands.

    Kept are the `keep` newest usable ones and whatever is as new as these: an unusable one neither counts nor goes
    before its turn, since a newer version of these tools may read it. Beyond them are kept the last proven one, the
    last one with rows, and, unless `young_too`, what is younger than a day. Raises ValueError for a `keep` below 1.
    """
    keep = policy.keep
    if keep < 1:
        raise ValueError(f"keep is {keep}, and at least one backup has to stay")
    ordered = sorted(backups, key=lambda one: (one.started, one.name), reverse=True)
    last_proven = next((one for one in ordered if one.usable and one.proven), None)
    last_with_rows = next((one for one in ordered if one.usable and not one.empty), None)
    verdicts, usable = [], 0
    for one in ordered:
        if usable < keep:
            newest = "the newest" if keep == 1 else f"one of the {keep} newest"
            kept = newest if one.usable else "not usable, but newer than what would replace it"
        elif one == last_proven:
            kept = "the last proven one"
        elif one == last_with_rows:
            kept = "the last one with rows in it"
        else:
            kept = "younger than a day" if policy.now - one.started < YOUNG and not policy.young_too else ""
        usable += one.usable
        newer = "there is 1 newer one" if keep == 1 else f"there are {keep} newer ones"
        verdicts.append(Verdict(one.name, not kept, kept or (newer if one.usable else f"not usable, and {newer}")))
    return verdicts + [Verdict(name, True, "left half-made by a command that was killed") for name in sorted(dead)]
