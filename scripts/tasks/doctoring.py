"""Tasks that say what is wrong, and cure what can be cured without a risk: doctor, repair."""

from typing import TYPE_CHECKING

from invoke.context import Context

from scripts.tasks.command import ROOT, command

if TYPE_CHECKING:
    from app.migrations.doctor import Practice, Report
    from app.migrations.repair import Job


@command()
def doctor(c: Context, env: str = "", json: bool = False) -> None:
    """Say what is wrong and the command that cures it; exit 1 where something is."""
    from scripts.tasks import doctor_screen, documents

    found = _examined(env)
    if json:
        documents.show(doctor_screen.document(found))
    else:
        doctor_screen.report(found)
    raise SystemExit(found.exit_code)


@command(
    help={
        "close": "a half-applied revision that is dealt with; can be given several times",
        "restore_file": "write the file of this revision as the journal says that it was applied",
        "yes": "do not ask, on a protected environment",
    },
    iterable=["close"],
)
def repair(
    c: Context, env: str = "", close: list[str] | None = None, restore_file: str = "", yes: bool = False
) -> None:
    """Cure what can be cured without a risk: invalid indexes, leftovers of restores, half-applied revisions."""
    from app.migrations import repair as repairs
    from scripts.tasks import confirmation, doctor_screen, lines

    job = _job(env)
    if restore_file:
        for path in repairs.restore_files(job, restore_file):
            lines.say(f"wrote {path}")
        return
    plan = repairs.plan(job, tuple(close or ()))
    doctor_screen.plan(job, plan)
    if plan.actions:
        if job.target.environment.protected:
            confirmation.confirm(job.target.environment.name, yes)
        repairs.apply(job, plan, doctor_screen.done)
    doctor_screen.conclusion(job, plan)


def _examined(env: str) -> "Report":
    from app.core.config import variables
    from app.migrations import doctor as doctors
    from app.migrations import environments
    from app.migrations.errors import MigrationError

    practice, process = _practice(), variables()
    name = environments.choose(env, process.get("APP_ENV"), None).name or environments.DEFAULT_NAME
    try:
        environment = environments.for_tasks(ROOT, env, process)
    except MigrationError as error:
        if name not in environments.names(ROOT):
            raise
        return doctors.unusable(practice, name, error)
    return doctors.examine(practice, environment)


def _practice() -> "Practice":
    import sys

    from sqlalchemy.pool import NullPool

    from app.core.engine import make_engine
    from app.migrations.doctor import Practice
    from app.migrations.redaction import redact

    def say(line: str) -> None:
        print(redact(line), file=sys.stderr, flush=True)

    return Practice(ROOT, lambda url: make_engine(url, NullPool), say)


def _job(env: str) -> "Job":
    from app.core.config import variables
    from app.migrations import environments, targets
    from app.migrations.repair import Job

    practice = _practice()
    target = targets.resolve(environments.for_tasks(ROOT, env, variables()), ROOT)
    return Job(practice, target, practice.connect(target.url))
