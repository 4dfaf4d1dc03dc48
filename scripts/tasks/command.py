"""The decorator of every task: Invoke's own, plus our short flags and one exit code for each kind of end."""

import atexit
import functools
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from invoke.tasks import Task, task

from app.migrations.reporting import exit_codes

ROOT = Path(__file__).resolve().parents[2]
SHORT_FLAGS = {"env": "e", "message": "m", "to": "t", "verbose": "v", "yes": "y"}
HELP = {
    "env": "environment, a file of envs/ (default: APP_ENV, else dev)",
    "json": "one JSON document on stdout (docs/json.md)",
}

# What a command loads lives until it ends: looking through it for cycles, again and again, takes a tenth of the time.
gc.set_threshold(100_000, 50, 100)
# Nor at its end: the last search of all goes through everything, to free what the system frees at once.
atexit.register(gc.freeze)
# Invoke turns the caching of compiled modules off for the whole process.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)


class Command(Task[Any]):
    """A task whose short flags come from one table: Invoke's automatic ones turn `dry_run` into `--`."""

    def arg_opts(self, name: str, default: str, taken_names: set[str]) -> dict[str, Any]:
        """Return Invoke's options for one argument, with its short flag added."""
        options = super().arg_opts(name, default, taken_names)
        if name in SHORT_FLAGS:
            options["names"].append(SHORT_FLAGS[name])
        return options


def command(**options: Any) -> Callable[[Callable[..., None]], Command]:
    """Return a decorator like `invoke.task`; the task ends with the exit codes of `app.migrations.errors`.

    Arguments are positional only where `positional` names them. The help of the arguments that many tasks share is
    added here.
    """
    help_texts, positional = options.pop("help", {}), options.pop("positional", [])

    def decorate(body: Callable[..., None]) -> Command:
        names = body.__code__.co_varnames[1 : body.__code__.co_argcount]
        shared = {name: HELP[name] for name in names if name in HELP}

        @functools.wraps(body)
        def run(*args: Any, **kwargs: Any) -> None:
            with exit_codes():
                body(*args, **kwargs)
                sys.stdout.flush()

        return cast(
            "Command",
            task(run, klass=Command, auto_shortflags=False, positional=positional, help=shared | help_texts, **options),
        )

    return decorate
