"""`several-changes`: one revision makes changes that have nothing to do with each other.

Bad:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        op.create_table("exchange_rates", sa.Column("day", sa.Date(), primary_key=True))

Why: what is wrong with one of them can only be undone together with the others, the locks of all are held until the
last is done, and the title of the revision tells half of it.
https://www.postgresql.org/docs/current/explicit-locking.html

Instead:
    def upgrade() -> None:
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))

Way out: `# allow: several-changes -- reason`, where they belong together in a way that a file cannot show.
"""

from collections.abc import Iterator, Mapping, Sequence

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed, at
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration
from app.migrations.sources.operations import Kind, Operation

MOST_NAMED = 4


def find(migration: Migration, _: Known) -> Iterator[Problem]:
    """Return the second of several groups of tables; the first revision of a history has them by nature."""
    upgrade = migration.upgrade
    plain = all(each.table and not each.place.looped for each in upgrade.schema if each.kind is not Kind.CREATE_TYPE)
    if not upgrade.known or not plain or not migration.revision.parents or upgrade.rows:
        return
    groups = _unlike(_groups(upgrade.schema))
    if len(groups) > 1:
        names = [snippets.shown(group[0].table) for group in groups]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        message = (
            f"This revision changes {', '.join(names[:MOST_NAMED])}{more}, which nothing here connects: what is wrong "
            "with one of them cannot be undone alone."
        )
        yield at(groups[1][0], message, f"\n{snippets.NEXT}\n".join(map(_code, groups)))


def _groups(operations: Sequence[Operation]) -> list[list[Operation]]:
    """Return the operations by table; tables that a foreign key or a new name connects are one."""
    home: dict[str, str] = {}

    def root(table: str) -> str:
        while home.setdefault(table, table) != table:
            table = home[table]
        return table

    for operation in operations:
        if operation.table:
            related = [*operation.referent.split(), operation.to if operation.kind is Kind.RENAME_TABLE else ""]
            for other in filter(None, related):
                home[root(other)] = root(operation.table)
    found: dict[str, list[Operation]] = {}
    for operation in operations:
        if operation.table:
            found.setdefault(root(operation.table), []).append(operation)
    return list(found.values())


def _unlike(groups: list[list[Operation]]) -> list[list[Operation]]:
    """Return the groups without those that do to another table what one before them does."""
    seen: dict[object, list[Operation]] = {}
    for group in groups:
        seen.setdefault(_likeness(group), []).extend(group)
    return list(seen.values())


def _likeness(group: list[Operation]) -> object:
    """Return what makes two groups one change: the same kinds of operation, or columns of the same names."""
    kinds = frozenset(each.kind for each in group)
    if Kind.CREATE_TABLE in kinds:
        return min(each.table for each in group)
    if kinds in ({Kind.ADD_COLUMN}, {Kind.DROP_COLUMN}):
        return kinds, frozenset(each.name for each in group)
    return kinds


def _code(group: Sequence[Operation]) -> str:
    codes: Mapping[str, None] = dict.fromkeys(snippets.written(each.call) for each in group if each.call)
    code = "\n".join(codes)
    return snippets.autocommit(code) if group[0].place.autocommit else code


RULE = Rule(
    "several-changes", Severity.WARNING, find, allowed("several-changes", "They are one change?"), __doc__ or ""
)
