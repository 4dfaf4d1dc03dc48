"""Alembic's way to the database. `inv` hands in a "target", scratch builds a bare "connection" (config.attributes)."""

from logging.config import fileConfig
from typing import Any

from alembic import context
from sqlalchemy.pool import NullPool

from app.core.config import ROOT, settings
from app.core.engine import make_engine
from app.migrations import failures, guard, reporting, targets
from app.migrations.journal import is_schema
from app.migrations.recorder import Recorder
from app.models.registry import metadata, naming

config = context.config
on_command_line = config.cmd_opts is not None


def run(recorder: Recorder | None = None, **source: Any) -> None:
    """Run the migrations of this command, one transaction each. No statement may come before `configure`."""
    context.configure(
        target_metadata=naming() if recorder else metadata(),
        transaction_per_migration=True,
        compare_server_default=True,
        include_name=is_schema,
        on_version_apply=recorder.applied if recorder else None,
        **source,
    )
    if recorder:
        recorder.attach(context.get_context())
    with context.begin_transaction():
        context.run_migrations()


def connect_and_run() -> None:
    """Find the database and run there, guarded where something may change."""
    said = context.get_x_argument(as_dictionary=True)
    target = config.attributes.get("target") or targets.resolve(settings(said.get("env")), ROOT)
    engine = make_engine(target.url, NullPool)
    with failures.explained(target.place):
        if guard.is_change(context.get_revision_argument):
            request = config.attributes.get("request") or guard.Request(unguarded=said.get("unguarded") == "yes")
            guard.run(guard.Change(ROOT, target, request), engine, run)
        else:
            with engine.connect() as connection:
                run(connection=connection)


if on_command_line and config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)
with reporting.two_lines(exits=on_command_line):
    if context.is_offline_mode():
        run(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"})
    elif config.attributes.get("connection") is not None:
        run(connection=config.attributes["connection"])
    else:
        connect_and_run()
