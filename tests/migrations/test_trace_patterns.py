"""The eight patterns of the guide on our own history: what each does to the tables of production."""

from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from app.migrations import trace
from app.migrations.trace import Step
from tests.clones import Clone

pytestmark = pytest.mark.slow

HEAD = "e5a72b8c9d0f"


class Pattern(NamedTuple):
    """What upgrade() of the guide says, and the strongest lock on each table that was there; `error` if it fails."""

    body: str
    locks: dict[str, str]
    error: str = ""
    built: tuple[str, ...] = ()
    validated: tuple[str, ...] = ()


PATTERNS = {
    "create a table": Pattern(
        """
        op.create_table(
            "example",
            sa.Column("id", sa.BigInteger(), primary_key=True),
            sa.Column("tenant_id", sa.BigInteger(), sa.ForeignKey("tenants.id")),
            sa.UniqueConstraint("tenant_id", "id", name="uq_example"),
        )
        """,
        {"public.tenants": "ShareRowExclusiveLock"},
    ),
    "add a column": Pattern(
        "op.add_column('users', sa.Column('phone', sa.Text()))", {"public.users": "AccessExclusiveLock"}
    ),
    "change a column": Pattern(
        "op.alter_column('users', 'name', nullable=False)",
        {"public.users": "AccessExclusiveLock"},
        validated=("NOT NULL (name) ON public.users",),
    ),
    "rename a column": Pattern(
        "op.alter_column('users', 'name', new_column_name='full_name')", {"public.users": "AccessExclusiveLock"}
    ),
    "create an index": Pattern(
        "op.create_index('ix_n', 'users', ['name'])", {"public.users": "ShareLock"}, built=("public.ix_n",)
    ),
    "create a unique index": Pattern(
        "op.create_index('ix_n', 'users', ['tenant_id', 'id'], unique=True)",
        {"public.users": "ShareLock"},
        built=("public.ix_n",),
    ),
    "create a partial index": Pattern(
        "op.create_index('ix_n', 'users', ['email'], postgresql_where=sa.text('is_active = true'))",
        {"public.users": "ShareLock"},
        built=("public.ix_n",),
    ),
    "raw SQL": Pattern(
        'op.execute("CREATE INDEX CONCURRENTLY ix_n ON users (name)")',
        {},
        "CREATE INDEX CONCURRENTLY cannot run inside a transaction block [25001], in"
        " CREATE INDEX CONCURRENTLY ix_n ON users (name)",
    ),
}


def strongest(step: Step) -> dict[str, str]:
    """The strongest lock on each table that was there."""
    locks = [lock for one in step.statements for lock in one.locks if lock.kind == "table" and not lock.new]
    return {
        lock.relation: max((one.mode for one in locks if one.relation == lock.relation), key=trace.strength)
        for lock in locks
    }


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_the_pattern_is_captured_with_its_locks(clone: Clone, scratch_admin: str, pattern: Pattern) -> None:
    body = "".join(f"    {line}\n" for line in dedent(pattern.body).strip().splitlines())
    path = clone.write_revision("0123456789ab", HEAD, f"def upgrade():\n{body}\n\ndef downgrade():\n    pass\n")
    found = trace.capture(Path(clone.folder), scratch_admin, [HEAD])
    (step,) = found.steps
    assert (step.error or "") == pattern.error
    assert strongest(step) == pattern.locks
    assert tuple(name for one in step.statements for name in one.indexes_built) == pattern.built
    assert tuple(name for one in step.statements for name in one.validated) == pattern.validated
    assert {one.path for one in step.statements} == {f"alembic/versions/{path.name}"}
    assert {"upgrade" in path.read_text().splitlines()[one.line - 2] for one in step.statements} == {True}
