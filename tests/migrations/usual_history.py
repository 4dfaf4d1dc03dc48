"""Generated histories of the usual operations, with the models that they lead to; the same for the same length.

A new table every fourth revision, as in real histories; the others change the tables that are there. Every revision
can be undone and holds on tables with rows.
"""

from pathlib import Path
from typing import NamedTuple

REVISION = '''"""{title}"""

import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {parent!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''
ENV = """\
from contextlib import nullcontext

from alembic import context
from models import metadata

connectable = context.config.attributes["connection"]
with connectable.connect() if hasattr(connectable, "connect") else nullcontext(connectable) as connection:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
TABLE = """op.create_table(
        "{t}",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_{t}"),
    )"""
NARROW = """op.create_table(
        "{t}",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("{last}_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Enum("new", "old", name="{t}_state"), server_default="new", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_{t}"),
        sa.ForeignKeyConstraint(["{last}_id"], ["{last}.id"], name="fk_{t}_{last}", ondelete="CASCADE"),
        sa.UniqueConstraint("{last}_id", "state", name="uq_{t}_state"),
    )"""
FILLED = """op.add_column("{t}", sa.Column("amount", sa.Numeric(10, 2)))
    op.execute("UPDATE {t} SET amount = length(name)")
    op.alter_column("{t}", "amount", nullable=False)"""
CHECKED = """op.add_column("{t}", sa.Column("score", sa.Integer(), server_default="0", nullable=False))
    op.create_check_constraint("ck_{t}_score", "{t}", "score >= 0")"""
REFERRED = """op.add_column("{t}", sa.Column("origin_id", sa.BigInteger()))
    op.create_foreign_key("fk_{t}_origin", "{t}", "{last}", ["origin_id"], ["id"])
    op.create_index("ix_{t}_origin", "{t}", ["origin_id"])"""
UNREFERRED = """op.drop_index("ix_{t}_origin", "{t}")
    op.drop_constraint("fk_{t}_origin", "{t}", type_="foreignkey")
    op.drop_column("{t}", "origin_id")"""
DROPPED = 'op.drop_table("{t}")\n    sa.Enum(name="{t}_state").drop(op.get_bind())'


class Step(NamedTuple):
    """One usual operation and what undoes it. {t} is the table that it is about, {last} the wide one of its turn."""

    title: str
    up: str
    down: str


TURN = (
    Step("create a table", TABLE, 'op.drop_table("{t}")'),
    Step("add an index", 'op.create_index("ix_{t}_name", "{t}", ["name"])', 'op.drop_index("ix_{t}_name", "{t}")'),
    Step("add a column, fill it, NOT NULL", FILLED, 'op.drop_column("{t}", "amount")'),
    Step(
        "rename a column",
        'op.alter_column("{t}", "name", new_column_name="title")',
        'op.alter_column("{t}", "title", new_column_name="name")',
    ),
    Step("create a table with an enum and a foreign key", NARROW, DROPPED),
    Step("add a column with a check", CHECKED, 'op.drop_column("{t}", "score")'),
    Step("add a foreign key with its index", REFERRED, UNREFERRED),
    Step(
        "a wider type",
        'op.alter_column("{t}", "score", type_=sa.BigInteger(), existing_type=sa.Integer())',
        'op.alter_column("{t}", "score", type_=sa.Integer(), existing_type=sa.BigInteger())',
    ),
)
"""Eight revisions on two tables, over and over."""
WIDE = len(TURN) // 2


def write(folder: Path, count: int) -> Path:
    """Write a project of `count` revisions with its models into `folder`; return that."""
    versions = folder / "migrations/versions"
    versions.mkdir(parents=True)
    ini = "[alembic]\nscript_location = migrations\npath_separator = os\nprepend_sys_path = .\n"
    (folder / "alembic.ini").write_text(ini)
    (folder / "migrations/env.py").write_text(ENV)
    (folder / "models.py").write_text(models(count))
    parent = None
    for number in range(count):
        step = TURN[number % len(TURN)]
        names = {"t": table(number), "last": table(number - number % len(TURN))}
        id_ = f"{number:012x}"
        up, down = step.up.format(**names), step.down.format(**names)
        text = REVISION.format(title=step.title, id=id_, parent=parent, up=up, down=down)
        (versions / f"{id_}_step.py").write_text(text)
        parent = id_
    return folder


def table(number: int) -> str:
    """Return the name of the table that revision `number` makes or changes."""
    turn, place = divmod(number, len(TURN))
    return f"{'orders' if place < WIDE else 'parcels'}_{turn}"


def models(count: int) -> str:
    """Return the source of the models after `count` revisions."""
    text = '"""Generated."""\n\nimport sqlalchemy as sa\n\nmetadata = sa.MetaData()\n'
    for first in range(0, count, WIDE):
        make = _wide if first % len(TURN) == 0 else _narrow
        text += "sa.Table(\n    " + ",\n    ".join(make(first, count - first)) + ",\n)\n"
    return text


def _wide(number: int, steps: int) -> list[str]:
    name = table(number)
    column = "title" if steps > 3 else "name"
    parts = [
        f'"{name}", metadata',
        'sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True)',
        f'sa.Column("{column}", sa.Text(), nullable=False)',
        'sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)',
    ]
    parts += [f'sa.Index("ix_{name}_name", "{column}")'] if steps > 1 else []
    return parts + (['sa.Column("amount", sa.Numeric(10, 2), nullable=False)'] if steps > 2 else [])


def _narrow(number: int, steps: int) -> list[str]:
    name, last = table(number), table(number - WIDE)
    parts = [
        f'"{name}", metadata',
        'sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False)',
        f'sa.Column("{last}_id", sa.ForeignKey("{last}.id", ondelete="CASCADE"), nullable=False)',
        f'sa.Column("state", sa.Enum("new", "old", name="{name}_state"), server_default="new", nullable=False)',
        f'sa.UniqueConstraint("{last}_id", "state", name="uq_{name}_state")',
    ]
    score = "BigInteger" if steps > 3 else "Integer"
    parts += [f'sa.Column("score", sa.{score}(), server_default="0", nullable=False)'] if steps > 1 else []
    if steps > 2:
        parts += [f'sa.Column("origin_id", sa.ForeignKey("{last}.id"))', f'sa.Index("ix_{name}_origin", "origin_id")']
    return parts
