"""`autocommit-block-not-alone`: an autocommit block stands beside other changes in one revision.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        with op.get_context().autocommit_block():
            op.create_index("ix_users_phone", "users", ["phone"], postgresql_concurrently=True)

Why: the block commits what stands before it. When the index then fails, half of the revision is kept, and the
revision counts as not applied: neither upgrade nor downgrade goes on from there.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY

Instead:
    def upgrade() -> None:
        with op.get_context().autocommit_block():
            op.create_index("ix_users_phone", "users", ["phone"], postgresql_concurrently=True)

Way out: `# allow: autocommit-block-not-alone -- reason`, where every other statement can be run twice.
"""

from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Direction, Migration
from app.migrations.sources.operations import Operation


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the first block of each direction that has company."""
    for name, direction in (("upgrade", migration.upgrade), ("downgrade", migration.downgrade)):
        inside = [each for each in direction.effective if each.place.autocommit]
        outside = [each for each in direction.effective if not each.place.autocommit and each.changes_schema]
        outside += [each for each in direction.rows if not each.place.autocommit]
        if inside and outside:
            yield at(inside[0], _message(name, inside[0], outside[0]), _instead(direction))


def _message(name: str, inside: Operation, outside: Operation) -> str:
    kept = "is kept" if outside.line < inside.line else "is not done"
    return (
        f"This block commits on its own: when it fails, the {outside.kind.value} in line {outside.line} {kept}, and "
        f"{name}() cannot be run again as it is."
    )


def _instead(direction: Direction) -> str:
    """Return the same statements, those of each segment in a revision of their own."""
    segments: dict[int, list[Operation]] = {}
    for operation in direction.operations:
        segments.setdefault(operation.place.segment, []).append(operation)
    parts = [_segment(operations) for operations in segments.values()]
    return f"\n{snippets.NEXT}\n".join(filter(None, parts))


def _segment(operations: list[Operation]) -> str:
    codes = dict.fromkeys(snippets.written(each.call) for each in operations if each.call)
    code = "\n".join(codes)
    return snippets.autocommit(code) if code and operations[0].place.autocommit else code


RULE = Rule(
    "autocommit-block-not-alone",
    Severity.WARNING,
    find,
    allowed("autocommit-block-not-alone", "Everything outside of the block can be run twice?"),
    __doc__ or "",
)
