"""Fills a group of tables on one connection: values, the server's judgement, rows, INSERT, and again where refused."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name

from app.migrations import sample_insert, sample_judge
from app.migrations.quoting import quoted
from app.migrations.sample_clusters import Candidates, Cluster, Supplies, Value, Values, clusters, nullable
from app.migrations.sample_insert import Outcome
from app.migrations.sample_judge import Judge
from app.migrations.sample_rows import Draft, Inner, Mode, Pool, constant_default, tie
from app.migrations.sample_scalars import Supply
from app.migrations.sample_structure import Column, ForeignKey, Table

KEYS = 500
"""Rows of a table that others may refer to."""
FEW, MANY = 150, 1500
"""Combinations that are shown to the server, and again if it accepts none of the first."""
LOOSE = Mode(special=True, strict=False, bare=False, shift=0)
PLAIN = Mode(special=False, strict=False, bare=False, shift=503)
STRICT = Mode(special=False, strict=True, bare=False, shift=1009)
SINGLE = Mode(special=False, strict=True, bare=False, shift=5003)
BARE = Mode(special=False, strict=True, bare=True, shift=9001)


class Refusal(Exception):
    """No row can be made for a table; the text says why."""


class Filling:
    """One call of `Sampler.fill`. `changed` tells whether any row was added."""

    def __init__(self, connection: RawConnection, judge: Judge, seed: int) -> None:
        self.connection, self.judge, self.seed = connection, judge, seed
        self.changed = False
        self._keys: dict[tuple[int, tuple[str, ...]], list[tuple[Value, ...]]] = {}

    def fill(self, group: Sequence[Table], held: Mapping[int, int], wanted: int) -> Iterator[tuple[Table, Outcome]]:
        """Fill tables that refer to each other in a circle, or one table; yield what each of them took."""
        inner = [Inner(table, key) for table in group for key in table.foreign_keys if _inside(key, group)]
        drafts: dict[int, Draft] = {}
        for table in group:
            try:
                drafts[table.listed.oid] = self.draft(table, inner, held[table.listed.oid])
            except Refusal as refusal:
                yield table, Outcome(0, str(refusal))
        if len(drafts) < len(group):
            rest = [table for table in group if table.listed.oid in drafts]
            yield from self.fill(rest, held, wanted) if rest else ()
            return
        outcomes = self._attempts(group, inner, drafts, {oid: wanted - held[oid] for oid in drafts})
        for table in group:
            self.changed |= outcomes[table.listed.oid].taken > 0
            yield table, outcomes[table.listed.oid]

    def _attempts(
        self, group: Sequence[Table], inner: Sequence[Inner], drafts: Mapping[int, Draft], missing: dict[int, int]
    ) -> dict[int, Outcome]:
        done = {oid: Outcome(0) for oid in drafts}
        for mode in (LOOSE, PLAIN, STRICT, SINGLE, BARE):
            if not any(missing.values()) or (mode is BARE and any(outcome.taken for outcome in done.values())):
                break
            rows = {table.listed.oid: drafts[table.listed.oid].rows(missing[table.listed.oid], mode) for table in group}
            self._number(inner, rows)
            tie(inner, rows, drafts, self.keys)
            for oid, outcome in self._insert(group, rows, missing, mode).items():
                done[oid] = Outcome(done[oid].taken + outcome.taken, outcome.refusal or done[oid].refusal)
                missing[oid] -= min(outcome.taken, missing[oid])
                self._forget(oid)
        return done

    def _insert(
        self, group: Sequence[Table], rows: Mapping[int, list[Values]], missing: Mapping[int, int], mode: Mode
    ) -> dict[int, Outcome]:
        pairs = [(table, rows[table.listed.oid]) for table in group if rows[table.listed.oid]]
        if mode in (SINGLE, BARE):
            return {
                table.listed.oid: sample_insert.one_by_one(self.connection, table, some, missing[table.listed.oid])
                for table, some in pairs
            }
        if not pairs:
            return {}
        outcome = sample_insert.together(self.connection, pairs, gaps=mode is LOOSE)
        if outcome.refusal or len(pairs) == 1:
            return {table.listed.oid: outcome for table, _ in pairs}
        return {table.listed.oid: Outcome(len(some)) for table, some in pairs}

    def draft(self, table: Table, inner: Sequence[Inner], present: int) -> Draft:
        """Prepare rows for one table, but for the foreign keys `inner`. Raises Refusal."""
        if table.listed.partitioned and not table.partitions:
            raise Refusal("it has no partition that rows could go into")
        outer = tuple(key for key in table.foreign_keys if Inner(table, key) not in inner)
        for key in outer:
            if not self.keys(key) and not all(nullable(c, table) for c in table.columns if c.name in key.columns):
                raise Refusal(f'the foreign key "{key.name}" needs rows in {key.parent_path}, which holds none')
        supplies = {column.name: self._supply(table, column) for column in table.columns}
        free = table._replace(foreign_keys=outer)
        pools = [Pool(cluster, self._accepted(free, cluster, supplies)) for cluster in clusters(free)]
        return Draft(table, supplies, pools, self.keys, self.seed, present)

    def _supply(self, table: Table, column: Column) -> Supply | None:
        found = self.judge.supply(self.connection, table.types, column.type, column.modifier)
        if found is None and column.default is None and not nullable(column, table) and not column.generated:
            raise Refusal(f"no value is known for the column {column.quoted} of type {column.written}")
        name = table.types[column.type].name
        if found and name in {"json", "jsonb"} and any(text.startswith("[") for text in constant_default(column)):
            return Supply(lambda k: f"[{k + 1}]", special=("[]",), ordered=False)
        return found

    def _accepted(self, table: Table, cluster: Cluster, supplies: Supplies) -> list[Values]:
        if not cluster.judged:
            return []
        remembered = (table.path, cluster)
        if remembered in self.judge.pools:
            return self.judge.pools[remembered]
        random = Random(f"{self.seed}/{table.path}/{cluster.columns[0].name}")  # noqa: S311 -- repeatable
        candidates = Candidates(table, cluster, supplies, self.keys, random)
        for count in (FEW if len(cluster.columns) > 1 else FEW // 3, MANY):
            made = candidates.made(count)
            random.shuffle(made)
            found = sample_judge.accepted(self.connection, table, cluster, made)
            if found:
                pool = _mixed(found, cluster)
                if not cluster.foreign_keys:
                    self.judge.pools[remembered] = pool
                return pool
        names = ", ".join(f'"{check.name}"' for check in cluster.checks) or "of its partitions"
        raise Refusal(f"none of {len(made)} combinations of values that were tried fits the conditions {names}")

    def keys(self, key: ForeignKey) -> list[tuple[Value, ...]]:
        """Return the keys that a foreign key may refer to, in the same order on every server."""
        known = (key.parent, key.referenced)
        if known not in self._keys:
            columns = [quoted(name) for name in key.referenced]
            some = f"SELECT {', '.join(columns)} FROM {key.parent_path} LIMIT {KEYS}"  # noqa: S608 -- quoted
            texts = ", ".join(f"{name}::text" for name in columns)
            order = ", ".join(f'{name}::text COLLATE "C"' for name in columns)
            with self.connection.cursor() as cursor:
                cursor.execute(f"SELECT {texts} FROM ({some}) s ORDER BY {order}")  # noqa: S608 -- quoted
                self._keys[known] = [row for row in cursor.fetchall() if None not in row]
        return self._keys[known]

    def _number(self, inner: Sequence[Inner], rows: Mapping[int, list[Values]]) -> None:
        """Take the numbers of columns that the statement's own rows refer to from their sequences, beforehand."""
        for table, key in inner:
            parent = next((other for other, _ in inner if other.listed.oid == key.parent), table)
            for column in parent.columns:
                lacking = [row for row in rows[parent.listed.oid] if column.name not in row]
                if column.name in key.referenced and column.sequence and lacking:
                    with self.connection.cursor() as cursor:
                        query = "SELECT nextval(%s::regclass)::text FROM generate_series(1, %s)"
                        cursor.execute(query, (column.sequence, len(lacking)))
                        for row, (number,) in zip(lacking, cursor.fetchall(), strict=True):
                            row[column.name] = number

    def _forget(self, oid: int) -> None:
        for known in [known for known in self._keys if known[0] == oid]:
            del self._keys[known]


def _inside(key: ForeignKey, group: Sequence[Table]) -> bool:
    return any(key.parent == table.listed.oid for table in group)


def _mixed(found: list[Values], cluster: Cluster) -> list[Values]:
    """Put a combination with a null in front for each column that has one."""
    first = dict.fromkeys(
        next((i for i, values in enumerate(found) if values.get(column.name, "") is None), 0)
        for column in cluster.columns
    )
    return [*(found[i] for i in first), *(values for i, values in enumerate(found) if i not in first)]
