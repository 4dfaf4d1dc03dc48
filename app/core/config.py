"""The settings of the application, through python-decouple. Nothing is read at import."""

from pathlib import Path

from decouple import Config, RepositoryEmpty

from app.migrations import environments
from app.migrations.environments import Environment

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds envs/, alembic.ini and tasks.py."""


def variables() -> dict[str, str]:
    """Read the variables of this process that may choose or override a setting; an empty one counts as not set."""
    process = Config(RepositoryEmpty())
    read = {key: str(process(key, default="")) for key in ("APP_ENV", *environments.KEYS)}
    return {key: value for key, value in read.items() if value}


def settings(env: str | None = None) -> Environment:
    """Return the settings that the application runs with: `env`, APP_ENV, an exported DATABASE_URL, or dev.

    This is the rule of plain `alembic`, so that both reach the same database. Raises ConfigurationError and Refused.
    """
    return environments.for_alembic(ROOT, env, variables())
