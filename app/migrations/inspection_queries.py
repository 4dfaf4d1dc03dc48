"""The statement that reads a schema: one row, one JSON array for each catalog. Never runs it.

Every array holds `[oid, part, kind, name, properties, owner, grants, default grants, whole]`; NULL properties are those
that do not apply. What belongs to an extension, what the server brought along (object identifiers below 16384), system
schemas and temporary objects are left out; so pg_dump does. Names come out with their schema because search_path holds
pg_catalog alone. https://www.postgresql.org/docs/current/catalogs.html
"""

from functools import cache

from app.migrations.inspection_parts import Part, row
from app.migrations.inspection_rare import PARTS
from app.migrations.inspection_relations import OBJECTS_OF_TABLES, TRAITS_OF_TABLES

SOURCES = """
WITH member AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
), inner_part AS (
    SELECT classid, objid FROM pg_depend WHERE objid >= 16384 AND deptype = 'i'
    AND classid IN ('pg_proc'::regclass, 'pg_cast'::regclass)
), space AS MATERIALIZED (
    SELECT oid, nspname, nspowner, nspacl, quote_ident(nspname) || '.' AS prefix FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), relation AS MATERIALIZED (
    SELECT c.*, prefix || quote_ident(relname) AS path FROM pg_class c JOIN space ON space.oid = relnamespace
    WHERE c.oid >= 16384 AND relkind IN ('r', 'p', 'f', 'v', 'm', 'c', 'S') AND relname <> ALL (%(left_out)s)
    AND c.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_class'::regclass)
), type AS MATERIALIZED (
    SELECT t.*, prefix || quote_ident(typname) AS path FROM pg_type t JOIN space ON space.oid = typnamespace
    WHERE t.oid >= 16384 AND (typtype IN ('b', 'd', 'e', 'r', 'p')
        OR typrelid IN (SELECT oid FROM relation WHERE relkind = 'c'))
    AND typsubscript <> 'array_subscript_handler'::regproc
    AND t.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
)
"""

SCHEMA = Part(
    "pg_namespace",
    row("n.oid", "'schema'", "quote_ident(nspname)", "", owner="nspowner", acl="nspacl", acl_kind="'n'"),
    "FROM space n WHERE n.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_namespace'::regclass)",
)
TYPE = Part(
    "pg_type",
    row(
        "t.oid",
        """CASE typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type'
            WHEN 'c' THEN 'composite type' ELSE 'base type' END""",
        "path",
        """'attributes', CASE typtype WHEN 'c' THEN
            (SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) || CASE
                WHEN attcollation <> b.typcollation THEN ' COLLATE ' || attcollation::regcollation ELSE '' END,
                ', ' ORDER BY attnum) FROM pg_attribute a JOIN pg_type b ON b.oid = atttypid
            WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) END,
        'labels', CASE typtype WHEN 'e' THEN (SELECT coalesce(string_agg(quote_literal(enumlabel), ', '
            ORDER BY enumsortorder), 'none') FROM pg_enum WHERE enumtypid = t.oid) END,
        'type', CASE typtype WHEN 'd' THEN format_type(typbasetype, typtypmod) END,
        'not null', CASE WHEN typnotnull THEN 'yes' END,
        'default', CASE typtype WHEN 'd' THEN coalesce(pg_get_expr(typdefaultbin, 0), typdefault) END,
        'collation', CASE WHEN typtype = 'd' AND typcollation <>
            (SELECT b.typcollation FROM pg_type b WHERE b.oid = t.typbasetype) THEN typcollation::regcollation END,
        'definition', CASE WHEN typtype = 'r' THEN (SELECT 'RANGE (SUBTYPE = ' || format_type(rngsubtype, NULL)
            || ', SUBTYPE_OPCLASS = ' || (SELECT opcnamespace::regnamespace || '.' || quote_ident(opcname)
                FROM pg_opclass o WHERE o.oid = rngsubopc)
            || CASE WHEN rngcollation <> 0 THEN ', COLLATION = ' || rngcollation::regcollation ELSE '' END
            || CASE WHEN rngcanonical <> 0 THEN ', CANONICAL = ' || rngcanonical ELSE '' END
            || CASE WHEN rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || rngsubdiff ELSE '' END
            || ', MULTIRANGE_TYPE_NAME = ' || format_type(rngmultitypid, NULL) || ')'
            FROM pg_range WHERE rngtypid = t.oid)
        WHEN typtype IN ('b', 'p') THEN CASE WHEN typisdefined THEN concat('INPUT = ', typinput, ', OUTPUT = ',
            typoutput, ', RECEIVE = ', typreceive, ', SEND = ', typsend, ', TYPMOD_IN = ', typmodin,
            ', TYPMOD_OUT = ', typmodout, ', ANALYZE = ', typanalyze, ', SUBSCRIPT = ', typsubscript,
            ', INTERNALLENGTH = ', typlen, ', PASSEDBYVALUE = ', typbyval, ', ALIGNMENT = ', typalign,
            ', STORAGE = ', typstorage, ', CATEGORY = ', typcategory, ', PREFERRED = ', typispreferred,
            ', ELEMENT = ', typelem::regtype, ', DELIMITER = ', typdelim, ', COLLATABLE = ', typcollation <> 0)
            ELSE 'a shell' END END""",
        owner="typowner",
        acl="typacl",
        acl_kind="'T'",
    ),
    "FROM type t",
)
FUNCTION = Part(
    "pg_proc",
    row(
        "p.oid",
        "CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END",
        "p.oid::regprocedure",
        """'definition', CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE
            (SELECT concat('SFUNC = ', aggtransfn, ', STYPE = ', format_type(aggtranstype, NULL), ', SSPACE = ',
            aggtransspace, ', FINALFUNC = ', aggfinalfn, ' ', aggfinalmodify, aggfinalextra, ', COMBINEFUNC = ',
            aggcombinefn, ', SERIALFUNC = ', aggserialfn, ', DESERIALFUNC = ', aggdeserialfn, ', INITCOND = ',
            quote_nullable(agginitval), ', MSFUNC = ', aggmtransfn, ', MINVFUNC = ', aggminvtransfn, ', MSTYPE = ',
            CASE WHEN aggmtranstype <> 0 THEN format_type(aggmtranstype, NULL) ELSE '-' END, ', MSSPACE = ',
            aggmtransspace, ', MFINALFUNC = ', aggmfinalfn, ' ', aggmfinalmodify, aggmfinalextra, ', MINITCOND = ',
            quote_nullable(aggminitval), ', SORTOP = ', aggsortop::regoperator, ', KIND = ', aggkind, ' ',
            aggnumdirectargs, ', PARALLEL = ', proparallel, ', ARGUMENTS = ', pg_get_function_arguments(p.oid))
            FROM pg_aggregate WHERE aggfnoid = p.oid) END""",
        owner="proowner",
        acl="proacl",
        acl_kind="'f'",
    ),
    """FROM pg_proc p JOIN space ON space.oid = pronamespace WHERE p.oid >= 16384
    AND p.oid NOT IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
    AND p.oid NOT IN (SELECT objid FROM inner_part WHERE classid = 'pg_proc'::regclass)""",
    "pg_proc WHERE oid >= 16384",
)
EXTENSION = Part(
    "pg_extension",
    row(
        "e.oid",
        "'extension'",
        "quote_ident(extname)",
        "'version', extversion, 'schema', quote_ident(nspname)",
        owner="extowner",
    ),
    "FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace",
)
DEFAULT_PRIVILEGES = Part(
    "pg_default_acl",
    row(
        "d.oid",
        "'default privileges'",
        """'of ' || quote_ident(pg_get_userbyid(defaclrole)) || coalesce(' in ' || quote_ident(nspname), '') || ' on '
            || CASE defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
            WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END""",
        "",
        owner="defaclrole",
        acl="defaclacl",
        acl_kind="""CASE WHEN defaclnamespace <> 0 THEN NULL WHEN defaclobjtype = 'S' THEN 's' ELSE defaclobjtype
            END::"char\"""",
    ),
    "FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = defaclnamespace",
    "pg_default_acl",
)
COMMENT = Part(
    "comment",
    "json_build_array(classoid::regclass, objoid, objsubid, description)",
    """FROM (SELECT * FROM pg_description WHERE objoid >= 16384 UNION ALL SELECT d.* FROM pg_namespace n
    JOIN pg_description d ON objoid = n.oid AND classoid = 'pg_namespace'::regclass WHERE n.oid < 16384) d""",
)
SECURITY_LABEL = Part(
    "security_label",
    "json_build_array(classoid::regclass, objoid, objsubid, provider, label)",
    "FROM pg_seclabel WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass",
    "pg_seclabel",
)

OBJECTS = (SCHEMA, *OBJECTS_OF_TABLES, TYPE, FUNCTION, EXTENSION, DEFAULT_PRIVILEGES, *PARTS)
MORE = (*TRAITS_OF_TABLES, COMMENT, SECURITY_LABEL)
"""Parts whose rows are no objects but tell more of them."""
ALWAYS = tuple(part for part in (*OBJECTS, *MORE) if not part.probe)
PROBED = tuple(part for part in (*OBJECTS, *MORE) if part.probe)
PROBE = "SELECT " + ", ".join(f"EXISTS (SELECT FROM {part.probe})" for part in PROBED)  # noqa: S608
"""Asks of each part in PROBED whether it has rows."""


LEFT_OUT = "relname <> ALL (%(left_out)s)"
OF_SOME = {
    "{some con.conrelid}": "AND con.conrelid = ANY ($1 || 0::oid)",  # those of domains have none
    "{some conrelid}": "AND conrelid = ANY ($1)",
    "{some seqrelid}": "AND seqrelid = ANY ($1)",
    "{some pg_index}": "AND attrelid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY ($1))",
}
"""What keeps a part from reading all that it would leave out afterwards; not there where everything is read."""


@cache
def statement(version: int, parts: tuple[Part, ...], some: bool = False) -> str:
    """Return the statement for a server of the major `version`; its one parameter is `left_out`.

    With `some` it is one to be prepared, and `$1`, of type oid[], names the relations that it reads: the others are
    left out as if they were not there, what belongs to no relation is read all the same.
    """
    since = {
        "{enforced}": (18, "conenforced", "true"),
        "{locale}": (17, "colllocale", "colliculocale"),
        "{icu_rules}": (16, "collicurules", "NULL"),
        "{generated_columns}": (18, "CASE pubgencols WHEN 's' THEN 'stored' END", "NULL"),
    }
    text = SOURCES + "SELECT " + ",\n".join(part.query for part in parts)
    if some:
        text = text.replace(LEFT_OUT, f"{LEFT_OUT} AND (c.oid = ANY ($1) OR relkind = 'c')")
    for name, condition in OF_SOME.items():
        text = text.replace(name, condition if some else "")
    for name, (major, now, before) in since.items():
        text = text.replace(name, now if version >= major else before)
    return text
