"""The order in which tables are filled: those that are referred to first, those in a circle together. Only computes."""

from collections.abc import Mapping, Sequence

from app.migrations.sample_structure import Table


def components(tables: Sequence[Table]) -> list[list[Table]]:
    """Return the tables in groups: each after those that its foreign keys point to; a circle is one group.

    Tarjan's algorithm, without recursion.
    """
    by_oid = {table.listed.oid: table for table in tables}
    needs = {oid: _needs(table, by_oid) for oid, table in by_oid.items()}
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    found: list[list[Table]] = []
    for start in by_oid:
        work = [(start, 0)] if start not in index else []
        while work:
            oid, turn = work.pop()
            if turn == 0:
                index[oid] = low[oid] = len(index)
                path.append(oid)
            elif needs[oid][turn - 1] in path:
                low[oid] = min(low[oid], low[needs[oid][turn - 1]])
            if turn < len(needs[oid]):
                work.append((oid, turn + 1))
                if needs[oid][turn] not in index:
                    work.append((needs[oid][turn], 0))
                continue
            if low[oid] == index[oid]:
                at = path.index(oid)
                found.append([by_oid[each] for each in by_oid if each in path[at:]])
                del path[at:]
    return found


def _needs(table: Table, known: Mapping[int, Table]) -> list[int]:
    parents = dict.fromkeys(key.parent for key in table.foreign_keys)
    return [oid for oid in parents if oid in known and oid != table.listed.oid]
