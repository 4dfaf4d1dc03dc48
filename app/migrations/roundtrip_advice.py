"""What to write in a revision that failed a roundtrip, with the names of its own objects. Decides on values alone."""

from typing import TYPE_CHECKING

from app.migrations.catalog import Difference
from app.migrations.catalog_names import ON, Key, holder, parts, plain
from app.migrations.quoting import literal

if TYPE_CHECKING:
    from app.migrations.roundtrip_findings import Told
    from app.migrations.roundtrip_report import Stage

DECLARE = 'There is no way back? Say so: `irreversible = "reason"` beside `revision`, and let downgrade() raise.'
TWICE = "have downgrade() undo all that upgrade() asks about or works on: the second time it found something else"
DROPPED = {
    "table": "op.drop_table({name}{schema})",
    "sequence": 'op.execute("DROP SEQUENCE {sql}")',
    "view": 'op.execute("DROP VIEW {sql}")',
    "materialized view": 'op.execute("DROP MATERIALIZED VIEW {sql}")',
    "enum": 'op.execute("DROP TYPE {sql}")',
    "composite type": 'op.execute("DROP TYPE {sql}")',
    "range type": 'op.execute("DROP TYPE {sql}")',
    "domain": 'op.execute("DROP DOMAIN {sql}")',
    "function": 'op.execute("DROP FUNCTION {sql}")',
    "procedure": 'op.execute("DROP PROCEDURE {sql}")',
    "aggregate": 'op.execute("DROP AGGREGATE {sql}")',
    "extension": 'op.execute("DROP EXTENSION {sql}")',
    "schema": 'op.execute("DROP SCHEMA {sql}")',
    "collation": 'op.execute("DROP COLLATION {sql}")',
    "statistics": 'op.execute("DROP STATISTICS {sql}")',
    "role": 'op.execute("DROP ROLE {sql}")',
}
ON_TABLE = {"trigger": "TRIGGER", "policy": "POLICY", "rule": "RULE"}
CONSTRAINTS = (("PRIMARY KEY", "primary"), ("UNIQUE", "unique"), ("FOREIGN KEY", "foreignkey"), ("CHECK", "check"))


def after_difference(one: Difference) -> str:
    """Return the line of downgrade() that is missing; in words where no line can be told."""
    if one.attribute is None:
        return _undo(one) if one.before is None else _restore(one)
    if one.kind == "column":
        return _column(one)
    if one.attribute == "comment":
        text = literal(one.before) if one.before else "NULL"
        return f'op.execute("COMMENT ON {one.kind.upper()} {one.object} IS {text}")'
    if one.attribute == "definition" and one.kind in {
        "function",
        "procedure",
        "view",
        "trigger",
        "index",
        "constraint",
    }:
        return f"in downgrade(), make {one.kind} {one.object} again as it was:\n{one.before}"
    if one.kind == "enum":
        return (
            "in downgrade(), make the type anew with the old labels and convert the columns with"
            " postgresql_using; or declare the revision irreversible: a label cannot be dropped"
        )
    return f"in downgrade(), set {one.attribute} of {one.kind} {one.object} back to {one.before or 'nothing'}"


def _undo(one: Difference) -> str:
    """Return what drops an object that was left behind."""
    if one.kind in DROPPED:
        path = [plain(part) for part in parts(one.object)] or [one.object]
        schema = f", schema={path[0]!r}" if len(path) > 1 and path[0] != "public" else ""
        sql = one.object.removeprefix("public.")
        return _quotes(DROPPED[one.kind].format(name=repr(path[-1]), schema=schema, sql=sql))
    name, table, schema = _on_table(one)
    if one.kind == "column":
        return _quotes(f"op.drop_column({table!r}, {name!r}{schema})")
    if one.kind == "index":
        return _quotes(f"op.drop_index({name!r}, table_name={table!r}{schema})")
    if one.kind == "constraint":
        kind = next((kind for word, kind in CONSTRAINTS if (one.after or "").startswith(word)), "check")
        return _quotes(f"op.drop_constraint({name!r}, {table!r}, type_={kind!r}{schema})")
    if one.kind in ON_TABLE:
        found = ON.fullmatch(one.object)
        return f'op.execute("DROP {ON_TABLE[one.kind]} {name} ON {found[1] if found else table}")'
    return f"in downgrade(), drop {one.kind} {one.object}"


def _restore(one: Difference) -> str:
    """Return what makes an object again that did not come back."""
    name, table, schema = _on_table(one)
    was = one.before or ""
    if one.kind == "constraint":
        return f'op.execute("ALTER TABLE {_quoted_table(one)} ADD CONSTRAINT {name} {was}")'
    if one.kind in {"index", "trigger", "rule", "function", "procedure"} and was.upper().startswith("CREATE"):
        return f'op.execute("""{was}""")' if "\n" in was else f'op.execute("{was}")'
    if one.kind in {"view", "materialized view"}:
        return f'op.execute("""CREATE {one.kind.upper()} {one.object} AS\n{was}""")'
    if one.kind == "column":
        return _quotes(f"op.add_column({table!r}, sa.Column({name!r}, ...){schema})") + f"   # {was}"
    if one.kind == "enum":
        return f'op.execute("CREATE TYPE {one.object} AS ENUM ({was.removeprefix("labels ")})")'
    return f"in downgrade(), make {one.kind} {one.object} again: {was}"


def _column(one: Difference) -> str:
    name, table, schema = _on_table(one)
    was = one.before
    if one.attribute == "not null":
        change = f"nullable={was is None}"
    elif one.attribute == "default":
        change = f"server_default={'None' if was is None else f'sa.text({was!r})'}"
    elif one.attribute == "comment":
        change = f"comment={was!r}"
    elif one.attribute == "type":
        return f'op.execute("ALTER TABLE {table} ALTER COLUMN {name} TYPE {was} USING {name}::{was}")'
    else:
        return f"in downgrade(), set {one.attribute} of column {one.object} back to {was or 'nothing'}"
    return _quotes(f"op.alter_column({table!r}, {name!r}, {change}{schema})")


def _on_table(one: Difference) -> tuple[str, str, str]:
    """Return an object's own name, its table's, and the schema as an argument where it is not public."""
    owner = parts(holder(Key(one.kind, one.object)) or "")
    path = parts(one.object)
    name = plain(path[-1] if one.kind == "column" and path else path[0]) if path else one.object
    table = plain(owner[-1]) if owner else ""
    schema = f", schema={plain(owner[0])!r}" if len(owner) > 1 and owner[0] != "public" else ""
    return name, table, schema


def _quoted_table(one: Difference) -> str:
    return (holder(Key(one.kind, one.object)) or "").removeprefix("public.")


def _quotes(code: str) -> str:
    """Write strings as this project does, where nothing in them stands against it."""
    return code if '"' in code else code.replace("'", '"')


def after_error(stage: "Stage", error: "Told", up: bool) -> str:
    """Return what to do about an error, by its words and SQLSTATE.

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    known = THERE if stage.value == "upgrade" and error.code in TWICE_MADE else _BY_CODE.get(error.code)
    if error.code == "23502" and error.table and up:
        return NULLS.format(table=error.table, column=error.column or _column_of(error.text))
    if known:
        return known
    if "has no name" in error.text:
        return (
            'op.drop_constraint("the_name", "the_table"): name it as the database does; create it with a name at once'
        )
    if error.text.startswith("NotImplementedError"):
        return 'write it, or declare that there is none: irreversible = "reason" beside `revision`'
    if error.text.startswith("AttributeError") and "downgrade" in error.text:
        return "write downgrade(): the revision has none"
    return "correct it there, then `inv db.roundtrip --only` with this revision"


def _column_of(text: str) -> str:
    found = text.split('"')
    return found[1] if len(found) > 2 else "the_column"


TWICE_MADE = frozenset({"42710", "42P07", "42701", "42P06", "42723"})
THERE = (
    "it is there already at this revision: an earlier one makes it, or the table in this one does;"
    " of an enum that is there: postgresql.ENUM(..., create_type=False)"
)
NULLS = """op.add_column("{table}", sa.Column("{column}", ..., nullable=True))
op.execute("UPDATE {table} SET {column} = ... WHERE {column} IS NULL")
op.alter_column("{table}", "{column}", nullable=False)"""
_BY_CODE = {
    "23502": 'give the null values one before the column must have one: op.execute("UPDATE ... WHERE ... IS NULL")',
    "23505": 'delete or change what comes twice before it must be unique: op.execute("DELETE ..." or "UPDATE ...")',
    "23503": 'delete or connect the rows that point nowhere before the foreign key is made: op.execute("DELETE ...")',
    "23514": 'correct the rows that break the rule before it is made: op.execute("UPDATE ...")',
    "22001": "shorten the values first, or leave the type as wide as it is",
    "22P02": "say how to convert the values: postgresql_using=..., after correcting those that cannot be converted",
    "42804": 'say how to convert the values: postgresql_using="column::type"',
    "25001": "with op.get_context().autocommit_block():\n    ...",
    "42710": "have downgrade() drop what upgrade() makes, types too: dropping a table does not drop its enum",
    "42P07": "have downgrade() drop what upgrade() makes",
    "2BP01": "drop what depends on it first, in the reverse order of upgrade()",
    "42704": "drop only what upgrade() has made, under the name that it has there",
    "42703": "name the columns that are there at this revision",
    "42P01": "name the tables that are there at this revision",
    "55P04": "add the label in a revision, or an autocommit block, before the one that uses it",
    "25P02": "an error before this line was caught: let it pass, or use a savepoint: op.get_bind().begin_nested()",
}
