"""What an operation will do, as a value that is shown before it is done. Decides; reads nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from app.migrations.environment_rules import Backup, Environment
from app.migrations.errors import Refused
from app.migrations.losses import Loss


class PlannedStep(NamedTuple):
    """One revision that will be applied, undone or stamped, and what its code drops.

    `irreversible` is the reason that it gives for having no way back.
    """

    revision: str
    title: str
    losses: tuple[Loss, ...] = ()
    irreversible: str | None = None


class Plan(NamedTuple):
    """The steps in their order; `action` is upgrade, downgrade or stamp."""

    action: str
    steps: tuple[PlannedStep, ...]

    @property
    def losses(self) -> list[Loss]:
        """Return everything that any step drops."""
        return [loss for step in self.steps for loss in step.losses]


class Consent(NamedTuple):
    """What the user has said on the command line."""

    yes: bool = False
    allow_downgrade: bool = False
    no_backup: bool = False


def refuse_what_is_not_allowed(plan: Plan, environment: Environment, consent: Consent) -> None:
    """Raise Refused where the environment's rules need a word that was not said; the question comes after this."""
    name = environment.name
    if environment.protected and plan.action == "downgrade" and not consent.allow_downgrade:
        raise Refused(
            f"{name} is protected, and a downgrade loses data{_listed(plan.losses)}; nothing was changed",
            f"if that is meant: inv db.downgrade --env={name} --allow-downgrade",
        )


Find = Callable[[str], str | None]


def refuse_what_cannot_be_undone(steps: Sequence[PlannedStep], name: str, backup: Find) -> None:
    """Raise Refused where a downgrade crosses a revision that says it has no way back.

    `backup` finds the newest backup taken before a revision; it is asked for the lowest one only, and only then.
    """
    barred = [step for step in steps if step.irreversible is not None]
    if not barred:
        return
    reasons = "; ".join(f"{step.revision} ({step.title}) cannot be undone: {step.irreversible}" for step in barred)
    env = f" --env={name}" if name else ""
    found = backup(barred[-1].revision)
    if found is not None:
        raise Refused(
            f"{reasons}; going back means restoring a backup from before it, and losing what was written since; "
            "nothing was changed",
            f"inv db.restore --backup={found}{env}",
        )
    higher = steps[0].irreversible is None
    raise Refused(
        f"{reasons}; there is no backup{f' of {name}' if name else ''} from before it to restore; nothing was changed",
        f"inv db.downgrade --to={barred[0].revision}{env}, to undo only what is above it" if higher
        else f"inv db.backups{env}",
    )  # fmt: skip


def needs_backup(plan: Plan, environment: Environment, consent: Consent) -> bool:
    """Return whether a backup has to be made before the plan is carried out; nothing to do needs none."""
    return bool(plan.steps) and environment.backup is not Backup.NEVER and not consent.no_backup


def _listed(losses: Iterable[Loss]) -> str:
    said = ", ".join(str(loss) for loss in losses)
    return f" ({said})" if said else ""
