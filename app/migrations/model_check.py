"""How models differ from the database that a migration context is on, as `alembic check` finds it. Changes nothing."""

import warnings

from alembic.autogenerate import RevisionContext
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import SAWarning

from app.migrations import model_differences

COMMAND = ("message", "branch_label", "version_path", "rev_id", "depends_on")


def check(config: Config, script: ScriptDirectory) -> tuple[str, ...] | None:
    """Run env.py with a configuration that leads to the database, and compare; () without differences.

    None where the models cannot be compared: see `differences`.
    """
    found: list[tuple[str, ...] | None] = []

    def compare(heads: tuple[str, ...], context: MigrationContext) -> tuple[()]:
        found.append(differences(config, script, heads, context))
        return ()

    with EnvironmentContext(config, script, fn=compare):
        script.run_env()
    return found[-1] if found else None


def differences(
    config: Config, script: ScriptDirectory, heads: tuple[str, ...], context: MigrationContext
) -> tuple[str, ...] | None:
    """Compare from within a run of env.py, whose hooks and filters hold.

    None with several heads, which Alembic does not compare, where env.py names no models, and where the database is
    not at the head of the history.
    """
    if len(script.get_heads()) > 1:
        return None
    options = {**dict.fromkeys(COMMAND), "autogenerate": True, "sql": False, "head": "head", "splice": False}
    comparison = RevisionContext(config, script, options)
    context.opts.setdefault("template_args", {}).update(comparison.template_args)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # of types that only the database knows
        try:
            comparison.run_autogenerate(heads, context)
        except CommandError:
            return None
    found = comparison.generated_revisions[-1].upgrade_ops_list
    return tuple(sentence for operations in found for sentence in model_differences.words(operations.as_diffs()))
