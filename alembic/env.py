"""Alembic's way to the database: which one, with which models, and how failures are told.

Every Alembic command runs this file. `inv` and scratch builds hand in what they decided through
`config.attributes`: "target" (a database already found) or "connection" (use it, and nothing around it).
"""

from logging.config import fileConfig
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from alembic import context
from app.core.config import ROOT, settings
from app.core.database import make_engine
from app.migrations import failures, guard, reporting, targets
from app.migrations.journal import TABLES
from app.migrations.recorder import Recorder
from app.models.registry import metadata

config = context.config
on_command_line = config.cmd_opts is not None


def run(recorder: Recorder | None = None, **source: Any) -> None:
    """Run the migrations of this command, one transaction each. No statement may come before `configure`."""
    context.configure(
        target_metadata=metadata(),
        transaction_per_migration=True,
        compare_server_default=True,
        include_name=lambda name, kind, parents: kind != "table" or name not in TABLES,
        on_version_apply=[recorder.applied] if recorder else [],
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
        if guard.is_change(context):
            given = {key: config.attributes[key] for key in ("road", "progress") if key in config.attributes}
            change = guard.Change(ROOT, target, unguarded=said.get("unguarded") == "yes", **given)
            guard.run(change, engine, lambda connection, recorder: run(recorder, connection=connection))
        else:
            with engine.connect() as connection:
                run(connection=connection)


if on_command_line and config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)
connected: Connection | None = config.attributes.get("connection")
with reporting.two_lines(exits=on_command_line):
    if context.is_offline_mode():
        run(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"})
    elif connected is not None:
        run(connection=connected)
    else:
        connect_and_run()
