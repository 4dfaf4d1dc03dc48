"""Writes the version table with the statements of Alembic, without having each of them compiled anew.

Alembic puts the ids into the statements as text, so that no compiled one is found again: that costs as much as the
rest of a small revision. Which rows are to change stays Alembic's decision.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.runtime import migration
from alembic.runtime.migration import HeadMaintainer
from alembic.util import CommandError

from app.migrations.quoting import literal


class VersionRows(HeadMaintainer):
    """Alembic's keeper of the rows of the version table; the statements run in the transaction of its context."""

    def _insert_version(self, version: str) -> None:
        assert version not in self.heads  # noqa: S101 -- as in Alembic
        self.heads.add(version)
        self._run(f"INSERT INTO {self._table} (version_num) VALUES ({literal(version)})")  # noqa: S608 -- quoted

    def _delete_version(self, version: str) -> None:
        self.heads.remove(version)
        found = self._run(f"DELETE FROM {self._table} WHERE {self._table}.version_num = {literal(version)}")  # noqa: S608
        self._expect_one(found, f"deleting '{version}'")

    def _update_version(self, from_: str, to_: str) -> None:
        assert to_ not in self.heads  # noqa: S101 -- as in Alembic
        self.heads.remove(from_)
        self.heads.add(to_)
        change = f"SET version_num={literal(to_)} WHERE {self._table}.version_num = {literal(from_)}"
        self._expect_one(self._run(f"UPDATE {self._table} {change}"), f"updating '{from_}' to '{to_}'")

    @property
    def _table(self) -> str:
        return self.context.dialect.identifier_preparer.format_table(self.context._version)

    def _run(self, statement: str) -> int:
        assert self.context.connection is not None  # noqa: S101 -- there is one wherever something runs
        return self.context.connection.exec_driver_sql(statement.replace("%", "%%")).rowcount

    def _expect_one(self, found: int, doing: str) -> None:
        if self.context.dialect.supports_sane_rowcount and found != 1:
            raise CommandError(
                f"Online migration expected to match one row when {doing} in '{self.context.version_table}';"
                f" {found} found"
            )


@contextmanager
def written_directly() -> Iterator[None]:
    """Have Alembic use `VersionRows` while the block lasts; it names the class in a module, and asks for no other."""
    theirs = migration.HeadMaintainer
    migration.HeadMaintainer = VersionRows  # type: ignore[misc]
    try:
        yield
    finally:
        migration.HeadMaintainer = theirs  # type: ignore[misc]
