"""What an operation will do, as a value that is shown before it is done. Decides; reads nothing."""

from collections.abc import Iterable
from typing import NamedTuple

from app.migrations.environment_rules import Backup, Environment
from app.migrations.errors import Refused
from app.migrations.losses import Loss


class PlannedStep(NamedTuple):
    """One revision that will be applied, undone or stamped, and what its code drops."""

    revision: str
    title: str
    losses: tuple[Loss, ...] = ()


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


def needs_backup(plan: Plan, environment: Environment, consent: Consent) -> bool:
    """Return whether a backup has to be made before the plan is carried out; nothing to do needs none."""
    return bool(plan.steps) and environment.backup is not Backup.NEVER and not consent.no_backup


def _listed(losses: Iterable[Loss]) -> str:
    said = ", ".join(str(loss) for loss in losses)
    return f" ({said})" if said else ""
