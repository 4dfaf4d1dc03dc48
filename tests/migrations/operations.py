"""The usual operations: what each locks, rewrites, reads and builds, as PostgreSQL's manual has it."""

from typing import NamedTuple

SCHEMA = """
CREATE TABLE other (id integer PRIMARY KEY);
CREATE TABLE t (
    id integer PRIMARY KEY, a integer, s varchar(10), words text, n numeric(10, 2), naive timestamp, aware timestamptz,
    nn integer NOT NULL, checked integer CONSTRAINT checked_is_there CHECK (checked IS NOT NULL), ref integer
);
CREATE INDEX ix ON t (s);
CREATE UNIQUE INDEX ux ON t (nn);
ALTER TABLE t ADD CONSTRAINT fk_later FOREIGN KEY (ref) REFERENCES other NOT VALID;
ALTER TABLE t ADD CONSTRAINT ck_later CHECK (a > 0) NOT VALID;
CREATE TABLE p (id integer, at date) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
CREATE TABLE p2 (id integer, at date);
CREATE TABLE p3 (id integer, at date, CONSTRAINT bound CHECK (id IS NOT NULL AND id >= 300 AND id < 400));
CREATE TABLE kept (id integer PRIMARY KEY, ref integer CONSTRAINT kept_fk REFERENCES other);
CREATE VIEW v AS SELECT id, nn FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM other;
CREATE UNIQUE INDEX mvx ON mv (id);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS integer;
CREATE TABLE d (x positive);
CREATE SEQUENCE sq;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tg BEFORE INSERT ON d FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY pol ON d USING (true);
INSERT INTO other SELECT generate_series(1, 20);
INSERT INTO t SELECT g, g, g, g, g, now(), now(), g, g, g FROM generate_series(1, 20) g;
INSERT INTO p1 SELECT 1;
INSERT INTO p2 SELECT 200;
INSERT INTO p3 SELECT 300;
INSERT INTO d SELECT 1;
INSERT INTO kept SELECT 1, 1;
"""
ALL_INDEXES = "ix t_pkey ux"

ACCESS_SHARE, ROW_SHARE, ROW_EXCLUSIVE = "AccessShareLock", "RowShareLock", "RowExclusiveLock"
SHARE_UPDATE_EXCLUSIVE, SHARE = "ShareUpdateExclusiveLock", "ShareLock"
SHARE_ROW_EXCLUSIVE, EXCLUSIVE, ACCESS_EXCLUSIVE = "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"

LOCKING = "explicit-locking.html#LOCKING-TABLES"
ALTER = "sql-altertable.html#SQL-ALTERTABLE-DESC"
NOTES = "sql-altertable.html#SQL-ALTERTABLE-NOTES"


class Operation(NamedTuple):
    """One operation on tables that hold rows.

    `locks` are the strongest lock on each relation that was there and is no index, `page` where the manual says so. The
    rest are names, with spaces between, that the trace has in the field of the same name.
    """

    name: str
    sql: str
    page: str
    locks: dict[str, str]
    rewritten: str = ""
    indexes_built: str = ""
    scanned: str = ""
    validated: tuple[str, ...] = ()
    created: str = ""
    dropped: str = ""
    truncated: str = ""


def alter_t(
    name: str,
    action: str,
    page: str = ALTER,
    mode: str = ACCESS_EXCLUSIVE,
    rewrites: bool = False,
    scans: bool = False,
    builds: str = "",
    validated: tuple[str, ...] = (),
    others: dict[str, str] | None = None,
    created: str = "",
) -> Operation:
    """One form of ALTER TABLE t; a rewrite reads the table, and builds its indexes anew."""
    scanned, built = ("t", ALL_INDEXES) if rewrites else ("t" if scans else "", builds)
    locks = {"t": mode, **(others or {})}
    return Operation(
        name, f"ALTER TABLE t {action}", page, locks, "t" if rewrites else "", built, scanned, validated, created
    )


TRANSACTIONAL = [
    alter_t("add a nullable column", "ADD z integer"),
    alter_t("add a column with a constant default", "ADD z integer DEFAULT 1", NOTES),
    alter_t("add a NOT NULL column with a constant default", "ADD z integer NOT NULL DEFAULT 1", NOTES),
    alter_t("add a column with a stable default", "ADD z timestamptz DEFAULT now()", NOTES),
    alter_t(
        "add a column with a volatile default", "ADD z timestamptz DEFAULT clock_timestamp()", NOTES, rewrites=True
    ),
    alter_t("add an identity column", "ADD z integer GENERATED ALWAYS AS IDENTITY", NOTES, rewrites=True)._replace(
        created="t_z_seq"
    ),
    alter_t("add a stored generated column", "ADD z integer GENERATED ALWAYS AS (a + 1) STORED", NOTES, rewrites=True),
    alter_t("add a column with a CHECK", "ADD z integer CHECK (z > 0)", scans=True, validated=("t_z_check ON t",)),
    alter_t("add a column with a foreign key", "ADD z integer REFERENCES other", others={"other": SHARE_ROW_EXCLUSIVE}),
    alter_t("add a unique column", "ADD z integer UNIQUE", builds="t_z_key", scans=True)._replace(created="t_z_key"),
    alter_t("set NOT NULL", "ALTER a SET NOT NULL", scans=True, validated=("NOT NULL (a) ON t",)),
    alter_t("set NOT NULL under a valid CHECK", "ALTER checked SET NOT NULL"),
    alter_t("drop NOT NULL", "ALTER nn DROP NOT NULL"),
    alter_t("set a default", "ALTER a SET DEFAULT 1"),
    alter_t("change int to bigint", "ALTER a TYPE bigint", NOTES, rewrites=True),
    alter_t("change text to int", "ALTER words TYPE integer USING words::integer", NOTES, rewrites=True),
    alter_t("lengthen a varchar", "ALTER s TYPE varchar(20)", NOTES),
    alter_t("change varchar to text", "ALTER s TYPE text", NOTES),
    alter_t("shorten a varchar", "ALTER s TYPE varchar(5)", NOTES, rewrites=True),
    alter_t("raise the precision of a numeric", "ALTER n TYPE numeric(12, 2)", NOTES),
    alter_t("change the scale of a numeric", "ALTER n TYPE numeric(12, 4)", NOTES, rewrites=True),
    Operation(
        "change timestamp to timestamptz in UTC",
        "SET LOCAL timezone = 'UTC'; ALTER TABLE t ALTER naive TYPE timestamptz",
        NOTES,
        {"t": ACCESS_EXCLUSIVE},
    ),
    Operation(
        "change timestamp to timestamptz elsewhere",
        "SET LOCAL timezone = 'Asia/Tokyo'; ALTER TABLE t ALTER naive TYPE timestamptz",
        NOTES,
        {"t": ACCESS_EXCLUSIVE},
        rewritten="t",
        indexes_built=ALL_INDEXES,
        scanned="t",
    ),
    Operation(
        "create an index", "CREATE INDEX n ON t (a)", LOCKING, {"t": SHARE}, indexes_built="n", scanned="t", created="n"
    ),
    Operation(
        "create a unique index",
        "CREATE UNIQUE INDEX n ON t (a)",
        LOCKING,
        {"t": SHARE},
        indexes_built="n",
        scanned="t",
        created="n",
    ),
    Operation("drop an index", "DROP INDEX ix", "sql-dropindex.html", {"t": ACCESS_EXCLUSIVE}, dropped="ix"),
    Operation(
        "rebuild an index", "REINDEX INDEX ix", "sql-reindex.html", {"t": SHARE}, indexes_built="ix", scanned="t"
    ),
    Operation(
        "rebuild all indexes",
        "REINDEX TABLE t",
        "sql-reindex.html",
        {"t": SHARE},
        indexes_built=ALL_INDEXES,
        scanned="t",
    ),
    alter_t(
        "add a foreign key",
        "ADD CONSTRAINT n FOREIGN KEY (a) REFERENCES other",
        mode=SHARE_ROW_EXCLUSIVE,
        scans=True,
        validated=("n ON t",),
        others={"other": SHARE_ROW_EXCLUSIVE},
    )._replace(scanned="other t"),
    alter_t(
        "add a foreign key NOT VALID",
        "ADD CONSTRAINT n FOREIGN KEY (a) REFERENCES other NOT VALID",
        mode=SHARE_ROW_EXCLUSIVE,
        others={"other": SHARE_ROW_EXCLUSIVE},
    ),
    alter_t(
        "validate a foreign key",
        "VALIDATE CONSTRAINT fk_later",
        mode=SHARE_UPDATE_EXCLUSIVE,
        scans=True,
        validated=("fk_later ON t",),
        others={"other": ROW_SHARE},
    )._replace(scanned="other t"),
    alter_t(
        "validate a CHECK",
        "VALIDATE CONSTRAINT ck_later",
        mode=SHARE_UPDATE_EXCLUSIVE,
        scans=True,
        validated=("ck_later ON t",),
    ),
    alter_t("add a CHECK", "ADD CONSTRAINT n CHECK (a > 0)", scans=True, validated=("n ON t",)),
    alter_t("add a CHECK NOT VALID", "ADD CONSTRAINT n CHECK (a > 0) NOT VALID"),
    alter_t("add a unique constraint", "ADD CONSTRAINT n UNIQUE (a)", builds="n", scans=True, created="n"),
    alter_t("add a unique constraint using an index", "ADD CONSTRAINT n UNIQUE USING INDEX ux"),
    alter_t(
        "add an exclusion constraint",
        "ADD CONSTRAINT n EXCLUDE USING btree (a WITH =)",
        builds="n",
        scans=True,
        created="n",
    ),
    Operation(
        "add a primary key",
        "ALTER TABLE d ADD PRIMARY KEY (x)",
        ALTER,
        {"d": ACCESS_EXCLUSIVE},
        indexes_built="d_pkey",
        scanned="d",
        validated=("NOT NULL (x) ON d",),
        created="d_pkey",
    ),
    alter_t("drop a primary key", "DROP CONSTRAINT t_pkey")._replace(dropped="t_pkey"),
    alter_t("drop a CHECK", "DROP CONSTRAINT ck_later"),
    alter_t("drop a foreign key", "DROP CONSTRAINT fk_later", others={"other": ACCESS_EXCLUSIVE}),
    alter_t("rename a column", "RENAME a TO b", "sql-altertable.html"),
    alter_t("rename a constraint", "RENAME CONSTRAINT ck_later TO b", "sql-altertable.html"),
    Operation("rename a table", "ALTER TABLE t RENAME TO u", "sql-altertable.html", {"u": ACCESS_EXCLUSIVE}),
    Operation("rename an index", "ALTER INDEX ix RENAME TO iy", "sql-alterindex.html", {}),
    alter_t("drop a column", "DROP words"),
    Operation(
        "drop a table",
        "DROP TABLE kept",
        LOCKING,
        {"kept": ACCESS_EXCLUSIVE, "other": ACCESS_EXCLUSIVE},
        dropped="kept kept_pkey",
    ),
    Operation("create a table", "CREATE TABLE n (id integer)", LOCKING, {}, created="n"),
    Operation(
        "create a table with a foreign key",
        "CREATE TABLE n (id integer REFERENCES other)",
        "sql-createtable.html",
        {"other": SHARE_ROW_EXCLUSIVE},
        created="n",
    ),
    Operation("create a table like another", "CREATE TABLE n (LIKE d)", LOCKING, {"d": ACCESS_SHARE}, created="n"),
    Operation(
        "create an inheriting table",
        "CREATE TABLE n () INHERITS (d)",
        LOCKING,
        {"d": SHARE_UPDATE_EXCLUSIVE},
        created="n",
    ),
    Operation("add an enum value", "ALTER TYPE mood ADD VALUE 'good'", "sql-altertype.html", {}),
    Operation("rename an enum value", "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "sql-altertype.html", {}),
    Operation("create an enum", "CREATE TYPE n AS ENUM ('a')", "sql-createtype.html", {}),
    Operation("drop an enum", "DROP TYPE mood", "sql-droptype.html", {}),
    Operation("create a domain", "CREATE DOMAIN n AS integer CHECK (VALUE > 0)", "sql-createdomain.html", {}),
    Operation(
        "add a CHECK to a domain",
        "ALTER DOMAIN positive ADD CONSTRAINT n CHECK (VALUE > 0)",
        "sql-alterdomain.html",
        {"d": SHARE},
        scanned="d",
        validated=("n ON positive",),
    ),
    Operation(
        "add a CHECK to a domain NOT VALID",
        "ALTER DOMAIN positive ADD CHECK (VALUE > 0) NOT VALID",
        "sql-alterdomain.html",
        {},
    ),
    Operation(
        "attach a partition",
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (200) TO (300)",
        ALTER,
        {"p": SHARE_UPDATE_EXCLUSIVE, "p2": ACCESS_EXCLUSIVE},
        scanned="p2",
        validated=("partition bound ON p2",),
    ),
    Operation(
        "attach a partition with a matching CHECK",
        "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (300) TO (400)",
        ALTER,
        {"p": SHARE_UPDATE_EXCLUSIVE, "p3": ACCESS_EXCLUSIVE},
    ),
    Operation(
        "detach a partition",
        "ALTER TABLE p DETACH PARTITION p1",
        ALTER,
        {"p": ACCESS_EXCLUSIVE, "p1": ACCESS_EXCLUSIVE},
    ),
    Operation(
        "create a partition",
        "CREATE TABLE n PARTITION OF p FOR VALUES FROM (500) TO (600)",
        "sql-createtable.html",
        {"p": ACCESS_EXCLUSIVE},
        created="n",
    ),
    Operation(
        "create an index on a partitioned table",
        "CREATE INDEX n ON p (at)",
        LOCKING,
        {"p": SHARE, "p1": SHARE},
        indexes_built="p1_at_idx",
        scanned="p1",
        created="n p1_at_idx",
    ),
    Operation(
        "create an index on a partitioned table alone",
        "CREATE INDEX n ON ONLY p (at)",
        LOCKING,
        {"p": SHARE},
        created="n",
    ),
    Operation(
        "cluster a table",
        "CLUSTER t USING ix",
        "sql-cluster.html",
        {"t": ACCESS_EXCLUSIVE},
        rewritten="t",
        indexes_built=ALL_INDEXES,
        scanned="t",
    ),
    alter_t("make a table unlogged", "SET UNLOGGED", rewrites=True),
    alter_t("mark a table for clustering", "CLUSTER ON ix", mode=SHARE_UPDATE_EXCLUSIVE),
    Operation(
        "create a materialized view",
        "CREATE MATERIALIZED VIEW n AS SELECT id FROM other",
        LOCKING,
        {"other": ACCESS_SHARE},
        scanned="other",
        created="n",
    ),
    Operation(
        "refresh a materialized view",
        "REFRESH MATERIALIZED VIEW mv",
        "sql-refreshmaterializedview.html",
        {"mv": ACCESS_EXCLUSIVE, "other": ACCESS_SHARE},
        rewritten="mv",
        indexes_built="mvx",
        scanned="mv other",
    ),
    Operation(
        "refresh a materialized view concurrently",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY mv",
        "sql-refreshmaterializedview.html",
        {"mv": EXCLUSIVE, "other": ACCESS_SHARE},
        scanned="mv other",
    ),
    Operation(
        "create a trigger",
        "CREATE TRIGGER n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        LOCKING,
        {"t": SHARE_ROW_EXCLUSIVE},
    ),
    Operation("drop a trigger", "DROP TRIGGER tg ON d", LOCKING, {"d": ACCESS_EXCLUSIVE}),
    Operation("disable a trigger", "ALTER TABLE d DISABLE TRIGGER tg", ALTER, {"d": SHARE_ROW_EXCLUSIVE}),
    Operation("create a function", "CREATE FUNCTION n() RETURNS int LANGUAGE sql AS 'SELECT 1'", LOCKING, {}),
    Operation("create a view", "CREATE VIEW n AS SELECT * FROM t", LOCKING, {"t": ACCESS_SHARE}, created="n"),
    Operation(
        "replace a view",
        "CREATE OR REPLACE VIEW v AS SELECT id, nn FROM t WHERE nn > 0",
        LOCKING,
        {"v": ACCESS_EXCLUSIVE, "t": ACCESS_SHARE},
    ),
    Operation("drop a view", "DROP VIEW v", LOCKING, {"v": ACCESS_EXCLUSIVE}, dropped="v"),
    Operation("create a policy", "CREATE POLICY n ON t USING (true)", LOCKING, {"t": ACCESS_EXCLUSIVE}),
    Operation("drop a policy", "DROP POLICY pol ON d", LOCKING, {"d": ACCESS_EXCLUSIVE}),
    Operation("create a rule", "CREATE RULE n AS ON INSERT TO t DO ALSO NOTHING", LOCKING, {"t": ACCESS_EXCLUSIVE}),
    alter_t("enable row level security", "ENABLE ROW LEVEL SECURITY"),
    alter_t("change the owner", "OWNER TO CURRENT_USER"),
    alter_t("set the replica identity", "REPLICA IDENTITY FULL"),
    Operation("create a sequence", "CREATE SEQUENCE n", LOCKING, {}, created="n"),
    Operation("restart a sequence", "ALTER SEQUENCE sq RESTART", "sql-altersequence.html", {"sq": SHARE_ROW_EXCLUSIVE}),
    alter_t("set the statistics target", "ALTER a SET STATISTICS 100", mode=SHARE_UPDATE_EXCLUSIVE),
    alter_t("set an option of a column", "ALTER a SET (n_distinct = 5)", mode=SHARE_UPDATE_EXCLUSIVE),
    alter_t("set the storage of a column", "ALTER words SET STORAGE EXTERNAL"),
    alter_t("set the fillfactor", "SET (fillfactor = 70)", mode=SHARE_UPDATE_EXCLUSIVE),
    Operation("truncate a table", "TRUNCATE t", LOCKING, {"t": ACCESS_EXCLUSIVE}, truncated="t"),
    Operation("insert rows", "INSERT INTO other VALUES (100)", LOCKING, {"other": ROW_EXCLUSIVE}),
    Operation("update rows", "UPDATE t SET a = 1", LOCKING, {"t": ROW_EXCLUSIVE}, scanned="t"),
    Operation("delete rows", "DELETE FROM t WHERE a = 1", LOCKING, {"t": ROW_EXCLUSIVE}, scanned="t"),
    Operation("read rows", "SELECT count(*) FROM t", LOCKING, {"t": ACCESS_SHARE}, scanned="t"),
    Operation("lock rows", "SELECT * FROM t FOR UPDATE", LOCKING, {"t": ROW_SHARE}, scanned="t"),
    Operation("comment on a table", "COMMENT ON TABLE t IS 'x'", LOCKING, {"t": SHARE_UPDATE_EXCLUSIVE}),
    Operation("comment on a column", "COMMENT ON COLUMN t.a IS 'x'", LOCKING, {"t": SHARE_UPDATE_EXCLUSIVE}),
    Operation("grant on a schema", "GRANT USAGE ON SCHEMA public TO PUBLIC", LOCKING, {}),
    Operation("lock a table", "LOCK TABLE t IN SHARE MODE", "sql-lock.html", {"t": SHARE}),
    Operation("lock a table for itself", "LOCK t", "sql-lock.html", {"t": ACCESS_EXCLUSIVE}),
    Operation(
        "create statistics",
        "CREATE STATISTICS st (dependencies) ON a, nn FROM t",
        LOCKING,
        {"t": SHARE_UPDATE_EXCLUSIVE},
    ),
    Operation("gather statistics", "ANALYZE d", LOCKING, {"d": SHARE_UPDATE_EXCLUSIVE}),
    Operation("publish a table", "CREATE PUBLICATION n FOR TABLE t", LOCKING, {"t": SHARE_UPDATE_EXCLUSIVE}),
]
"""Run in a transaction, where locks are measured."""

ALONE = [
    Operation(
        "create an index concurrently",
        "CREATE INDEX CONCURRENTLY n ON t (a)",
        LOCKING,
        {"t": SHARE_UPDATE_EXCLUSIVE},
        indexes_built="n",
        scanned="t",
        created="n",
    ),
    Operation(
        "drop an index concurrently",
        "DROP INDEX CONCURRENTLY ix",
        "sql-dropindex.html",
        {"t": SHARE_UPDATE_EXCLUSIVE},
        dropped="ix",
    ),
    Operation(
        "rebuild an index concurrently",
        "REINDEX INDEX CONCURRENTLY ix",
        LOCKING,
        {"t": SHARE_UPDATE_EXCLUSIVE},
        indexes_built="ix",
        scanned="t",
    ),
    Operation(
        "rebuild all indexes concurrently",
        "REINDEX (CONCURRENTLY) TABLE t",
        LOCKING,
        {"t": SHARE_UPDATE_EXCLUSIVE},
        indexes_built=ALL_INDEXES,
        scanned="t",
    ),
    alter_t(
        "validate a CHECK by itself",
        "VALIDATE CONSTRAINT ck_later",
        mode=SHARE_UPDATE_EXCLUSIVE,
        scans=True,
        validated=("ck_later ON t",),
    ),
    alter_t("add a column by itself", "ADD z integer"),
    alter_t("change a type by itself", "ALTER words TYPE integer USING words::integer", NOTES, rewrites=True),
    Operation(
        "detach a partition concurrently",
        "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
        ALTER,
        {"p": SHARE_UPDATE_EXCLUSIVE, "p1": ACCESS_EXCLUSIVE},
    ),
    Operation(
        "vacuum a table in full",
        "VACUUM FULL t",
        LOCKING,
        {"t": ACCESS_EXCLUSIVE},
        rewritten="t",
        indexes_built=ALL_INDEXES,
        scanned="t",
    ),
    Operation("vacuum a table", "VACUUM (FREEZE) t", LOCKING, {"t": SHARE_UPDATE_EXCLUSIVE}),
    Operation("truncate a table by itself", "TRUNCATE TABLE t", LOCKING, {"t": ACCESS_EXCLUSIVE}, truncated="t"),
    Operation("add an enum value by itself", "ALTER TYPE mood ADD VALUE 'good'", "sql-altertype.html", {}),
    Operation("update rows by themselves", "UPDATE t SET a = 1", LOCKING, {"t": ROW_EXCLUSIVE}, scanned="t"),
]
"""Run outside of a transaction, where locks are sampled, and completed as the manual has them."""
