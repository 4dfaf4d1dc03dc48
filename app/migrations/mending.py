"""What makes a target's schema what the history builds again: a statement where it can be derived. Runs nothing.

A statement that takes a lock for long has its concurrent form where PostgreSQL has one; what would lose rows is left
to a person, with the revision to look at.
https://www.postgresql.org/docs/current/sql-commands.html
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from app.migrations.catalog import Catalog, Difference, Key, Properties
from app.migrations.catalog_names import LAST_PART, ON, holder, parts

WHOLE = frozenset({"function", "procedure", "trigger", "rule", "statistics"})
"""Kinds whose definition is the statement that creates them."""
HOLDS_ROWS = frozenset({"table", "column", "schema", "sequence", "materialized view", "foreign table"})
ON_TABLE = frozenset({"trigger", "rule", "policy"})
COMMENTED_ON = {"enum": "type", "composite type": "type", "range type": "type", "base type": "type"}
SQL_NAMES = {"event trigger": "event trigger", "foreign-data wrapper": "foreign data wrapper"} | COMMENTED_ON
SETTINGS = {
    ("table", "row security"): ("ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
    ("table", "row security of the owner"): ("FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"),
    ("table", "persistence"): ("SET UNLOGGED", "SET LOGGED"),
    ("table", "replica identity"): ("REPLICA IDENTITY {}", "REPLICA IDENTITY DEFAULT"),
    ("column", "not null"): ("ALTER COLUMN {column} SET NOT NULL", "ALTER COLUMN {column} DROP NOT NULL"),
    ("column", "default"): ("ALTER COLUMN {column} SET DEFAULT {}", "ALTER COLUMN {column} DROP DEFAULT"),
    ("column", "storage"): ("ALTER COLUMN {column} SET STORAGE {}", "ALTER COLUMN {column} SET STORAGE DEFAULT"),
    ("column", "compression"): (
        "ALTER COLUMN {column} SET COMPRESSION {}",
        "ALTER COLUMN {column} SET COMPRESSION DEFAULT",
    ),
    ("column", "statistics target"): (
        "ALTER COLUMN {column} SET STATISTICS {}",
        "ALTER COLUMN {column} SET STATISTICS -1",
    ),
}
"""What ALTER TABLE says for a value of the history, and where it has none."""
PLAIN = {"not null": "yes", "replica identity": "full"}
"""Values for which that holds; others need more than one statement."""
STATES = {"disabled": "DISABLE", "on replicas": "ENABLE REPLICA", "always": "ENABLE ALWAYS", None: "ENABLE"}
SEQUENCE = {"start": "START", "increment": "INCREMENT", "minimum": "MINVALUE", "maximum": "MAXVALUE", "cache": "CACHE"}


class _Case(NamedTuple):
    """One difference with what both sides say about the object."""

    one: Difference
    history: Properties
    target: Properties
    expected: Catalog

    @property
    def table(self) -> str:
        """The table (or domain) that the object is on."""
        return holder(Key(self.one.kind, self.one.object)) or ""

    @property
    def own(self) -> str:
        """The object's own name, without its table or column's table."""
        name = self.one.object
        if self.one.kind == "column" and (found := LAST_PART.fullmatch(name)):
            return found[2]
        found = ON.fullmatch(name)
        return name[: -len(found[1]) - len(" ON ")] if found else name

    @property
    def full(self) -> str:
        """The name as statements that take no table have it: an index's with its table's schema."""
        return f"{parts(self.table)[0]}.{self.own}" if self.one.kind == "index" else self.one.object


def sql(one: Difference, expected: Catalog, found: Catalog) -> str | None:
    """Return the statement that mends a difference; None where it cannot be derived, or would lose rows."""
    key = Key(one.kind, one.object)
    case = _Case(one, expected.objects.get(key, {}), found.objects.get(key, {}), expected)
    if "inherited" in case.history or "part of" in case.history or "part of" in case.target:
        return None
    if one.attribute is not None:
        return _altered(case)
    return _created(case) if one.after is None else _dropped(case)


def _created(case: _Case) -> str | None:
    kind, history = case.one.kind, case.history
    definition = history.get("definition", "").strip().rstrip(";")
    if kind in WHOLE:
        return f"{definition};"
    build = _CREATED.get(kind)
    return build(case, definition) if build else None


def _index(case: _Case, definition: str) -> str:
    if Key("materialized view", case.table) in case.expected.objects or "partitioned by" in _table(case):
        return f"{definition.replace(' ON ONLY ', ' ON ', 1)};"
    return f"{definition.replace(' INDEX ', ' INDEX CONCURRENTLY ', 1)};"


def _table(case: _Case) -> Properties:
    return case.expected.objects.get(Key("table", case.table), {})


def _constraint(case: _Case, definition: str) -> str:
    add = f"{_alter_holder(case)} ADD CONSTRAINT {case.own} {definition}"
    slow = definition.startswith(("CHECK", "FOREIGN KEY")) and Key("domain", case.table) not in case.expected.objects
    if not slow or "partitioned by" in _table(case):
        return f"{add};"
    validate = f" ALTER TABLE {case.table} VALIDATE CONSTRAINT {case.own};" if "valid" not in case.history else ""
    return f"{add.removesuffix(' NOT VALID')} NOT VALID;{validate}"


def _alter_holder(case: _Case) -> str:
    return f"ALTER {'DOMAIN' if Key('domain', case.table) in case.expected.objects else 'TABLE'} {case.table}"


def _column(case: _Case, _: str) -> str | None:
    history = case.history
    if "generated" in history or "identity" in history or "type" not in history:
        return None
    words = [history["type"]]
    words += [f"COLLATE {history['collation']}"] if "collation" in history else []
    words += [f"DEFAULT {history['default']}"] if "default" in history else []
    words += ["NOT NULL"] if history.get("not null") == "yes" else []
    return f"ALTER TABLE {case.table} ADD COLUMN {case.own} {' '.join(words)};"


def _view(case: _Case, definition: str) -> str:
    options = f" WITH ({case.history['options']})" if "options" in case.history else ""
    return f"CREATE {case.one.kind.upper()} {case.one.object}{options} AS {definition};"


def _sequence(case: _Case, _: str) -> str:
    history = case.history
    words = [f"AS {history['type']}"] if "type" in history else []
    words += [f"{word} {history[name]}" for name, word in SEQUENCE.items() if name in history]
    words += ["CYCLE"] if "cycle" in history else []
    words += [f"OWNED BY {history['owned by']}"] if "owned by" in history else []
    return f"CREATE SEQUENCE {case.one.object} {' '.join(words)};"


_CREATED: Mapping[str, Callable[[_Case, str], str | None]] = {
    "index": _index,
    "constraint": _constraint,
    "column": _column,
    "view": _view,
    "materialized view": _view,
    "sequence": _sequence,
    "schema": lambda case, _: f"CREATE SCHEMA {case.one.object};",
    "extension": lambda case, _: f"CREATE EXTENSION {case.one.object} SCHEMA {case.history['schema']};",
    "enum": lambda case, _: f"CREATE TYPE {case.one.object} AS ENUM ({case.history['labels']});",
    "composite type": lambda case, _: f"CREATE TYPE {case.one.object} AS ({case.history['attributes']});",
    "policy": lambda case, text: f"CREATE POLICY {case.own} ON {case.table} AS {text};",
}


def _dropped(case: _Case) -> str | None:
    kind, name = case.one.kind, case.one.object
    if kind in HOLDS_ROWS or kind in {"default privileges", "publication table"}:
        return None
    if kind == "index":
        return f"DROP INDEX CONCURRENTLY {case.full};"
    if kind == "constraint":
        return f"{_alter_holder(case)} DROP CONSTRAINT {case.own};"
    if kind == "user mapping":
        return f"DROP USER MAPPING FOR {case.own} SERVER {case.table};"
    if kind in ON_TABLE:
        return f"DROP {kind.upper()} {case.own} ON {case.table};"
    return f"DROP {_sql_kind(kind)} {name};"


def _altered(case: _Case) -> str | None:
    one, kind = case.one, case.one.kind
    attribute = one.attribute or ""
    if attribute == "comment":
        return _comment(case)
    if attribute.startswith("grants to "):
        return None
    if attribute == "owner":
        return f"ALTER {_sql_kind(kind)} {one.object} OWNER TO {one.before};" if one.before else None
    if (kind, attribute) in SETTINGS:
        return _set(case, attribute)
    alter = _ALTERED.get((kind, attribute))
    return alter(case) if alter else None


def _comment(case: _Case) -> str | None:
    kind, text = case.one.kind, case.one.before
    if kind in {"cast", "default privileges"}:
        return None
    name = case.full if kind in {"index", "column"} else case.one.object
    if kind == "constraint" and Key("domain", case.table) in case.expected.objects:
        name = f"{case.own} ON DOMAIN {case.table}"
    said = "NULL" if text is None else "'" + text.replace("'", "''") + "'"
    return f"COMMENT ON {_sql_kind(kind)} {name} IS {said};"


def _set(case: _Case, attribute: str) -> str | None:
    said, unsaid = SETTINGS[case.one.kind, attribute]
    before = case.one.before
    if before is not None and attribute in PLAIN and before != PLAIN[attribute]:
        return None
    table = case.table if case.one.kind == "column" else case.one.object
    words = unsaid if before is None else said
    value = (before or "").upper() if attribute in {"replica identity", "storage"} else before
    return f"ALTER TABLE {table} {words.replace('{column}', case.own).replace('{}', value or '')};"


def _type(case: _Case) -> str | None:
    collation = f" COLLATE {case.history['collation']}" if "collation" in case.history else ""
    return f"ALTER TABLE {case.table} ALTER COLUMN {case.own} TYPE {case.history.get('type', '')}{collation};"


def _valid(case: _Case) -> str | None:
    if case.one.before is not None:
        return None
    if case.one.kind == "index":
        return f"REINDEX INDEX CONCURRENTLY {case.full};"
    if not case.history.get("definition", "").startswith(("CHECK", "FOREIGN KEY")):
        return f"REINDEX INDEX CONCURRENTLY {parts(case.table)[0]}.{case.own};"
    return f"ALTER TABLE {case.table} VALIDATE CONSTRAINT {case.own};"


def _again(case: _Case) -> str | None:
    """Drop it and create it as it was."""
    drop, create = _dropped(case), _created(case)
    return f"{drop} {create}" if drop and create else None


def _replaced(case: _Case) -> str | None:
    """It can add columns at the end of a view, and take none away: then it fails, and says which view is above it."""
    created = _created(case)
    return created and created.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)


def _domain(case: _Case) -> str:
    attribute, before = (case.one.attribute or "").upper(), case.one.before
    value = f" {before}" if attribute == "DEFAULT" and before is not None else ""
    return f"ALTER DOMAIN {case.one.object} {'DROP' if before is None else 'SET'} {attribute}{value};"


def _state(case: _Case) -> str:
    noun = "ALTER EVENT TRIGGER" if case.one.kind == "event trigger" else f"ALTER TABLE {case.table}"
    if case.one.kind == "event trigger":
        return f"{noun} {case.one.object} {STATES[case.one.before].replace('ENABLE ON', 'ENABLE')};"
    return f"{noun} {STATES[case.one.before]} {case.one.kind.upper()} {case.own};"


def _cycle(case: _Case) -> str:
    return f"ALTER SEQUENCE {case.one.object} {'CYCLE' if case.one.before else 'NO CYCLE'};"


def _number(case: _Case) -> str | None:
    word, value = SEQUENCE[case.one.attribute or ""], case.one.before
    return f"ALTER SEQUENCE {case.one.object} {word} {value};" if value else None


_ALTERED: Mapping[tuple[str, str], Callable[[_Case], str | None]] = {
    ("column", "type"): _type,
    ("column", "collation"): _type,
    ("index", "valid"): _valid,
    ("constraint", "valid"): _valid,
    ("index", "definition"): _again,
    ("constraint", "definition"): _again,
    ("policy", "definition"): _again,
    ("trigger", "definition"): _again,
    ("rule", "definition"): _again,
    ("statistics", "definition"): _again,
    ("view", "definition"): _replaced,
    ("function", "definition"): _created,
    ("procedure", "definition"): _created,
    ("trigger", "state"): _state,
    ("rule", "state"): _state,
    ("event trigger", "state"): _state,
    ("sequence", "cycle"): _cycle,
    ("sequence", "type"): lambda case: f"ALTER SEQUENCE {case.one.object} AS {case.one.before};",
    ("sequence", "owned by"): lambda case: f"ALTER SEQUENCE {case.one.object} OWNED BY {case.one.before or 'NONE'};",
    ("domain", "not null"): _domain,
    ("domain", "default"): _domain,
    ("extension", "version"): lambda case: f"ALTER EXTENSION {case.one.object} UPDATE TO '{case.one.before}';",
    **{("sequence", name): _number for name in SEQUENCE},
}


def _sql_kind(kind: str) -> str:
    return SQL_NAMES.get(kind, kind).upper()
