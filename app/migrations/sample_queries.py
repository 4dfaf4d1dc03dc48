"""The statements that read what the catalog says of tables that want rows. Knows no answer.

https://www.postgresql.org/docs/current/catalogs.html
"""

LISTING = """
SELECT c.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind::text, c.relnatts::int,
       c.relforcerowsecurity AND row_security_active(c.oid) AND pg_has_role(c.relowner, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND c.oid >= 16384
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname <> ALL ($1)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
  AND NOT (c.relnatts = 1 AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                                      AND a.attname = 'version_num' AND a.attnum = 1))
  AND ($2 IS NULL OR c.oid = ANY (SELECT coalesce(pg_partition_root(o), o) FROM unnest($2) o))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
"""Alembic's version table may bear any name: it is known by its one column."""

COLUMNS = """
SELECT a.attrelid::bigint, a.attname::text, quote_ident(a.attname), a.atttypid::bigint, a.atttypmod,
       format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text,
       pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attidentity <> '' THEN pg_get_serial_sequence(
           quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname) END, a.attnum::int
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""
CONSTRAINTS = """
SELECT con.conrelid::bigint, con.conname::text, con.contype::text, pg_get_expr(con.conbin, con.conrelid),
       (SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(con.conkey) WITH ORDINALITY k (n, i)
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.n)::text,
       con.confrelid::bigint, CASE WHEN con.contype = 'f' THEN (
           SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = con.confrelid) END,
       (SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(con.confkey) WITH ORDINALITY k (n, i)
        JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.n)::text,
       con.confmatchtype::text
FROM pg_constraint con
WHERE con.conrelid = ANY ($1) AND con.contype IN ('c', 'f') AND con.conparentid = 0
  AND coalesce(to_jsonb(con) ->> 'conenforced', 'true') = 'true'
ORDER BY con.conrelid, con.conname COLLATE "C"
"""
UNIQUES = """
SELECT i.indrelid::bigint, c.relname::text, i.indisexclusion, i.indimmediate, i.indnullsnotdistinct,
       pg_get_expr(i.indpred, i.indrelid), (SELECT json_agg(coalesce(a.attname, NULL) ORDER BY k.i)
           FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (n, i)
           LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n WHERE k.i <= i.indnkeyatts)::text,
       pg_get_expr(i.indexprs, i.indrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1) AND (i.indisunique OR i.indisexclusion) AND i.indislive
ORDER BY i.indrelid, c.relname COLLATE "C"
"""
OBSTACLES = """
SELECT t.tgrelid::bigint, 'trigger', t.tgname::text, t.tgtype & 2 = 2 AND t.tgtype & 1 = 1,
       p.proname || '/' || md5(p.prosrc)
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 4 = 4
UNION ALL
SELECT ev_class::bigint, 'rule', rulename::text, is_instead, '' FROM pg_rewrite
WHERE ev_class = ANY ($1) AND ev_type = '3' AND ev_enabled IN ('O', 'A')
ORDER BY 1, 2, 3
"""
PARTITIONS = """
SELECT p.root::bigint, quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_get_partition_constraintdef(c.oid)
FROM (SELECT o AS root, t.relid FROM unnest($2) o, pg_partition_tree(o) t WHERE t.isleaf) p
JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relispartition ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
TYPES = """
WITH RECURSIVE needed (oid) AS (
    SELECT DISTINCT atttypid FROM pg_attribute WHERE attrelid = ANY ($1) AND attnum > 0
      AND NOT attisdropped
    UNION
    SELECT p.oid FROM needed JOIN pg_type t USING (oid), LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc
        UNION ALL SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid
        UNION ALL SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid
        UNION ALL SELECT atttypid FROM pg_attribute WHERE attrelid = t.typrelid AND t.typtype = 'c' AND attnum > 0
            AND NOT attisdropped
    ) p (oid)
)
SELECT t.oid::bigint, t.typname::text, format_type(t.oid, NULL), t.typtype::text, t.typcategory::text,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype
            WHEN t.typtype = 'r' THEN (SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid)
            WHEN t.typtype = 'm' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid)
            WHEN t.typsubscript = 'array_subscript_handler'::regproc AND t.typarray = 0 THEN t.typelem
            ELSE 0 END::bigint,
       t.typtypmod, t.typnotnull, e.typdelim::text,
       (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)::text,
       (SELECT json_agg(json_build_array(atttypid::bigint, atttypmod) ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = t.typrelid AND t.typtype = 'c' AND attnum > 0 AND NOT attisdropped)::text,
       (SELECT json_agg(json_build_array(conname, pg_get_expr(conbin, 0)) ORDER BY conname COLLATE "C")
        FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')::text,
       t.typsubscript = 'array_subscript_handler'::regproc AND t.typarray = 0
FROM needed JOIN pg_type t USING (oid) LEFT JOIN pg_type e ON e.oid = t.typelem
"""


PARTS = ((COLUMNS, 12), (CONSTRAINTS, 9), (UNIQUES, 8), (OBSTACLES, 5), (PARTITIONS, 3), (TYPES, 13))
"""Each with the number of its columns."""


def _as_json(query: str, columns: int) -> str:
    names = ", ".join(f"c{number}" for number in range(columns))
    return f"(SELECT coalesce(json_agg(r), '[]') FROM ({query}) r ({names}))::text"  # noqa: S608 -- constants


STRUCTURE = "SELECT " + ", ".join(_as_json(query, columns) for query, columns in PARTS)
"""All about the tables in $1 in one statement; $2 are those of them that are partitioned."""
