"""The parts of the statement that are about tables, and about what stands on them. Never runs it."""

from app.migrations.inspection_parts import ENABLED, Part, row

RELATION = Part(
    "pg_class",
    row(
        "c.oid",
        """CASE relkind WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
            WHEN 'S' THEN 'sequence' ELSE 'table' END""",
        "path",
        """'persistence', CASE relpersistence WHEN 'u' THEN 'unlogged' END,
        'partitioned by', CASE relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
        'partition bound', pg_get_expr(relpartbound, c.oid),
        'options', reloptions,
        'TOAST options', CASE WHEN reltoastrelid <> 0 THEN
            (SELECT reloptions FROM pg_class t WHERE t.oid = c.reltoastrelid) END,
        'access method', CASE WHEN relam NOT IN (0, 2) THEN (SELECT amname FROM pg_am a WHERE a.oid = relam) END,
        'tablespace', CASE WHEN reltablespace <> 0
            THEN (SELECT spcname FROM pg_tablespace t WHERE t.oid = reltablespace) END,
        'replica identity', CASE WHEN relkind IN ('r', 'p', 'm')
            THEN CASE relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' END END,
        'row security', CASE WHEN relrowsecurity THEN 'enabled' END,
        'row security of the owner', CASE WHEN relforcerowsecurity THEN 'forced' END,
        'of type', CASE WHEN reloftype <> 0 THEN format_type(reloftype, NULL) END,
        'server', CASE relkind WHEN 'f' THEN
            (SELECT quote_ident(srvname) FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = ftserver
            WHERE ftrelid = c.oid) END,
        'foreign options', CASE relkind WHEN 'f' THEN
            (SELECT ftoptions FROM pg_foreign_table t WHERE ftrelid = c.oid) END,
        'definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END""",
        owner="relowner",
        acl="relacl",
        acl_kind="""CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char\"""",
    ),
    "FROM relation c WHERE relkind <> 'c'",
)
# pg_attver: a number of the server's own (seen in PostgreSQL 17.12), another for the same column in each database.
# That version's pg_dump leaves it out too.
COLUMN = Part(
    "column",
    row(
        "attrelid",
        "'column'",
        "path || '.' || quote_ident(attname)",
        """'type', CASE WHEN c.relkind IN ('r', 'p', 'f') THEN format_type(atttypid, atttypmod) END,
        'not null', CASE WHEN attnotnull THEN 'yes' END,
        'default', CASE attgenerated WHEN '' THEN pg_get_expr(adbin, adrelid) END,
        'generated', CASE attgenerated WHEN 's' THEN 'stored: ' WHEN 'v' THEN 'virtual: ' END
            || pg_get_expr(adbin, adrelid),
        'identity', CASE attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
        'collation', CASE WHEN attcollation <> typcollation AND c.relkind IN ('r', 'p', 'f')
            THEN attcollation::regcollation END,
        'storage', CASE WHEN attstorage <> typstorage AND c.relkind <> 'c' THEN
            CASE attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
        'compression', CASE attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
        'statistics target', nullif(attstattarget, -1)::text,
        'options', CASE WHEN attoptions IS NOT NULL THEN nullif(ARRAY(
            SELECT o FROM unnest(attoptions) o WHERE NOT starts_with(o, 'pg_attver=')), '{}') END,
        'foreign options', attfdwoptions,
        'inherited', CASE WHEN attinhcount > 0 THEN CASE WHEN attislocal AND NOT relispartition
            THEN 'and defined here' ELSE 'yes' END END""",
        owner="relowner",
        acl="attacl",
        part="attnum",
    ),
    """FROM pg_attribute JOIN relation c ON c.oid = attrelid AND c.relkind <> 'S' JOIN pg_type t ON t.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum AND atthasdef
    WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped""",
)
INHERITANCE = Part(
    "inheritance",
    "json_build_array(inhrelid, inhparent, inhdetachpending)",
    "FROM (SELECT * FROM pg_inherits WHERE inhrelid >= 16384 ORDER BY inhrelid, inhseqno) i",
    "pg_inherits",
)
_INDEX_STATE = """
        'tablespace', CASE WHEN i.reltablespace <> 0
            THEN (SELECT spcname FROM pg_tablespace t WHERE t.oid = i.reltablespace) END,
        'clustered', CASE WHEN indisclustered THEN 'yes' END,
        'replica identity', CASE WHEN indisreplident THEN 'yes' END"""
CONSTRAINT = Part(
    "pg_constraint",
    row(
        "con.oid",
        "'constraint'",
        "quote_ident(conname) || ' ON ' || coalesce(c.path, type.path)",
        """'definition', regexp_replace(pg_get_constraintdef(con.oid), '( NOT VALID| NOT ENFORCED)+$', ''),
        'valid', CASE WHEN (NOT convalidated AND {enforced}) OR NOT indisvalid OR NOT indisready THEN 'no' END,
        'enforced', CASE WHEN NOT {enforced} THEN 'no' END,
        'inherited', CASE WHEN coninhcount > 0 AND contype <> 'f' THEN
            CASE WHEN conislocal AND NOT c.relispartition THEN 'and defined here' ELSE 'yes' END END,
        'options', i.reloptions,"""
        + _INDEX_STATE,
        part="CASE WHEN contype IN ('p', 'u', 'x') THEN conindid ELSE 0 END",
        whole="nullif(conparentid, 0)",
    ),
    """FROM pg_constraint con LEFT JOIN relation c ON c.oid = conrelid LEFT JOIN type ON type.oid = contypid
    LEFT JOIN (pg_index JOIN pg_class i ON i.oid = indexrelid) ON contype IN ('p', 'u', 'x') AND indexrelid = conindid
    WHERE con.oid >= 16384 AND coalesce(c.oid, type.oid) IS NOT NULL AND contype IN ('c', 'f', 'p', 'u', 'x')
    AND (contype <> 'f' OR conparentid = 0) {some con.conrelid}""",
)
INDEX = Part(
    "index",
    row(
        "i.oid",
        "'index'",
        "quote_ident(i.relname) || ' ON ' || c.path",
        """'definition', pg_get_indexdef(i.oid),
        'valid', CASE WHEN NOT indisvalid OR NOT indisready OR NOT indislive THEN 'no' END,"""
        + _INDEX_STATE,
    ),
    """FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN relation c ON c.oid = indrelid
    WHERE indexrelid >= 16384 AND indexrelid NOT IN
        (SELECT conindid FROM pg_constraint WHERE conrelid >= 16384 AND contype IN ('p', 'u', 'x'))""",
)
INDEX_STATISTICS = Part(
    "index_statistics",
    "json_build_array(attrelid, attnum, attstattarget)",
    """FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid AND relkind IN ('i', 'I')
    WHERE attrelid >= 16384 AND attstattarget >= 0 {some pg_index}""",
)
NOT_NULL = Part(
    "not_null",
    "json_build_array(conrelid, conkey[1], con.oid, convalidated, connoinherit)",
    """FROM pg_constraint con WHERE con.oid >= 16384 AND contype = 'n' AND conrelid <> 0 AND (NOT convalidated
    OR connoinherit OR con.oid IN (SELECT objoid FROM pg_description WHERE objoid >= 16384
    AND classoid = 'pg_constraint'::regclass)) {some conrelid}""",
)
SEQUENCE = Part(
    "sequence",
    """json_build_array(seqrelid, json_build_object('type', format_type(seqtypid, NULL), 'start', seqstart::text,
    'increment', seqincrement::text, 'minimum', seqmin::text, 'maximum', seqmax::text, 'cache', seqcache::text,
    'cycle', CASE WHEN seqcycle THEN 'yes' END), refobjid, refobjsubid)""",
    """FROM pg_sequence LEFT JOIN pg_depend d ON classid = 'pg_class'::regclass AND d.objid = seqrelid
    AND refclassid = 'pg_class'::regclass AND refobjsubid > 0 AND deptype IN ('a', 'i')
    WHERE seqrelid >= 16384 {some seqrelid}""",
    "pg_sequence",
)
TRIGGER = Part(
    "pg_trigger",
    row(
        "t.oid",
        "'trigger'",
        "quote_ident(tgname) || ' ON ' || path",
        "'definition', pg_get_triggerdef(t.oid), " + ENABLED.format("tgenabled"),
        whole="nullif(tgparentid, 0)",
    ),
    "FROM pg_trigger t JOIN relation c ON c.oid = tgrelid WHERE NOT tgisinternal",
    "pg_trigger WHERE oid >= 16384 AND NOT tgisinternal",
)
RULE = Part(
    "pg_rewrite",
    row(
        "r.oid",
        "'rule'",
        "quote_ident(rulename) || ' ON ' || path",
        "'definition', pg_get_ruledef(r.oid), " + ENABLED.format("ev_enabled"),
    ),
    "FROM pg_rewrite r JOIN relation c ON c.oid = ev_class WHERE r.oid >= 16384 AND rulename <> '_RETURN'",
    "pg_rewrite WHERE oid >= 16384 AND rulename <> '_RETURN'",
)
POLICY = Part(
    "pg_policy",
    row(
        "p.oid",
        "'policy'",
        "quote_ident(polname) || ' ON ' || path",
        """'definition', concat(CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, ' FOR ',
            CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
            ELSE 'ALL' END, ' TO ', (SELECT string_agg(role, ', ' ORDER BY role) FROM
            (SELECT CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END FROM unnest(polroles) o)
                r (role)), ' USING (' || pg_get_expr(polqual, polrelid) || ')',
            ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')""",
    ),
    "FROM pg_policy p JOIN relation c ON c.oid = polrelid",
    "pg_policy",
)
STATISTICS = Part(
    "pg_statistic_ext",
    row(
        "s.oid",
        "'statistics'",
        "prefix || quote_ident(stxname)",
        """'definition', pg_get_statisticsobjdef(s.oid), 'of table', path,
        'statistics target', nullif(stxstattarget, -1)::text""",
        owner="stxowner",
    ),
    """FROM pg_statistic_ext s JOIN relation c ON c.oid = stxrelid JOIN space ON space.oid = stxnamespace""",
    "pg_statistic_ext",
)

OBJECTS_OF_TABLES = (RELATION, COLUMN, CONSTRAINT, INDEX, TRIGGER, RULE, POLICY, STATISTICS)
TRAITS_OF_TABLES = (INHERITANCE, SEQUENCE, INDEX_STATISTICS, NOT_NULL)
