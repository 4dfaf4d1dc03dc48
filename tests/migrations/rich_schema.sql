-- One of everything that a catalog holds: for PostgreSQL 15 and later, run by a superuser, without contrib.
SET check_function_bodies = off;

COMMENT ON SCHEMA public IS 'the shop';
CREATE SCHEMA "Größe, ""x"" y";
COMMENT ON SCHEMA "Größe, ""x"" y" IS 'quotes, a comma, spaces and accents';
GRANT USAGE ON SCHEMA "Größe, ""x"" y" TO PUBLIC;
CREATE SCHEMA audit;
ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO pg_read_all_data;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- types
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'calm', 'happy');
COMMENT ON TYPE mood IS 'how they feel';
CREATE COLLATION audit.plain FROM "C";
COMMENT ON COLLATION audit.plain IS 'bytes';
CREATE DOMAIN price AS numeric(10, 2) DEFAULT 0 NOT NULL CONSTRAINT positive CHECK (VALUE >= 0);
COMMENT ON DOMAIN price IS 'euros';
COMMENT ON CONSTRAINT positive ON DOMAIN price IS 'never negative';
CREATE DOMAIN email AS text COLLATE "C" CHECK (VALUE ~ '@');
GRANT USAGE ON TYPE email TO pg_read_all_data;
CREATE TYPE pair AS (a integer, "b c" text COLLATE "C");
COMMENT ON TYPE pair IS 'two things';
COMMENT ON COLUMN pair.a IS 'the first';
CREATE FUNCTION float_difference(a double precision, b double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE AS 'SELECT a - b';
CREATE TYPE span AS RANGE (SUBTYPE = double precision, SUBTYPE_DIFF = float_difference, MULTIRANGE_TYPE_NAME = spans);
COMMENT ON TYPE span IS 'from, to';

-- tables
CREATE SEQUENCE invoice_number AS integer START 1000 INCREMENT 5 MINVALUE 10 MAXVALUE 90000 CACHE 3 CYCLE;
COMMENT ON SEQUENCE invoice_number IS 'on paper';
GRANT USAGE ON SEQUENCE invoice_number TO pg_read_all_data;
CREATE TABLE tenants (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
    slug varchar(40) NOT NULL CONSTRAINT slug_known UNIQUE DEFERRABLE INITIALLY DEFERRED,
    feeling mood NOT NULL DEFAULT 'calm',
    settings jsonb NOT NULL DEFAULT '{"a": [1, 2]}'
);
COMMENT ON TABLE tenants IS 'who pays';
COMMENT ON COLUMN tenants.slug IS 'in the URL';
COMMENT ON CONSTRAINT slug_known ON tenants IS 'one each';
COMMENT ON INDEX tenants_pkey IS 'the index of the key';
CREATE TABLE users (
    id serial PRIMARY KEY,
    tenant_id bigint NOT NULL CONSTRAINT of_tenant REFERENCES tenants ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    dropped_early integer,
    email email NOT NULL,
    name text COLLATE audit.plain,
    shouted text GENERATED ALWAYS AS (upper(name)) STORED,
    born date CHECK (born > '1900-01-01'),
    active boolean DEFAULT true,
    tags text[] DEFAULT '{}',
    picture bytea,
    balance price,
    place pair,
    "Straße ""1""" text,
    manager integer REFERENCES users,
    created timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_known UNIQUE NULLS NOT DISTINCT (tenant_id, email) INCLUDE (name) WITH (fillfactor = 80)
) WITH (fillfactor = 90, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE users DROP COLUMN dropped_early;
ALTER TABLE users ALTER picture SET STORAGE EXTERNAL, ALTER name SET STATISTICS 500, ALTER email SET (n_distinct = -1);
ALTER TABLE users ALTER tags SET COMPRESSION pglz;
ALTER TABLE users ADD CONSTRAINT grown CHECK (born < '2020-01-01') NOT VALID;
ALTER TABLE users REPLICA IDENTITY FULL;
GRANT SELECT, INSERT ON users TO pg_read_all_data WITH GRANT OPTION;
GRANT UPDATE (name, active) ON users TO pg_monitor;
REVOKE TRUNCATE ON users FROM CURRENT_USER;
CREATE INDEX ix_users_name ON users (lower(name), created DESC NULLS LAST) WHERE active;
ALTER INDEX ix_users_name ALTER COLUMN 1 SET STATISTICS 300;
COMMENT ON INDEX ix_users_name IS 'to find them';
CREATE UNIQUE INDEX ix_users_email ON users USING btree (email text_pattern_ops) WITH (fillfactor = 70);
ALTER TABLE users CLUSTER ON ix_users_email;
CREATE INDEX ix_users_tags ON users USING gin (tags);
CREATE STATISTICS born_by_tenant (dependencies, ndistinct) ON tenant_id, born FROM users;
COMMENT ON STATISTICS born_by_tenant IS 'they go together';
ALTER STATISTICS born_by_tenant SET STATISTICS 200;
ALTER SEQUENCE invoice_number OWNED BY users.id;
CREATE UNLOGGED TABLE "Größe, ""x"" y"."Ma ""table"", ON x.y" (
    "Clé ON a" integer CONSTRAINT "Clé ON b" PRIMARY KEY,
    "a.b" text DEFAULT 'x, y',
    during tsrange,
    CONSTRAINT "no overlap" EXCLUDE USING gist (during WITH &&) WHERE ("a.b" <> 'z')
);
COMMENT ON TABLE "Größe, ""x"" y"."Ma ""table"", ON x.y" IS 'l''été';
CREATE INDEX "ix é" ON "Größe, ""x"" y"."Ma ""table"", ON x.y" ("a.b");
CREATE TABLE of_pair OF pair (a NOT NULL);

-- partitions and inheritance
CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, kind text NOT NULL, payload text, PRIMARY KEY (id, at, kind))
    PARTITION BY RANGE (at);
CREATE INDEX ix_events_payload ON events (payload);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2025_a PARTITION OF events_2025 FOR VALUES IN ('a', 'b''c');
CREATE TABLE events_2025_rest PARTITION OF events_2025 DEFAULT;
CREATE TABLE attached (payload text, kind text NOT NULL, gone integer, id bigint NOT NULL, at date NOT NULL);
ALTER TABLE attached DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION attached DEFAULT;
CREATE TABLE hashed (id integer REFERENCES users) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 (id integer CONSTRAINT of_its_own REFERENCES users);
ALTER TABLE hashed ATTACH PARTITION hashed_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE refers (id bigint, at date, kind text, FOREIGN KEY (id, at, kind) REFERENCES events);
CREATE TABLE parents (id integer PRIMARY KEY, label text DEFAULT 'p', CONSTRAINT labelled CHECK (label <> ''));
CREATE TABLE others (weight integer CHECK (weight > 0) NO INHERIT);
CREATE TABLE children (label text DEFAULT 'c', extra integer) INHERITS (parents, others);
ALTER TABLE parents ADD COLUMN later integer NOT NULL DEFAULT 7;

-- code
CREATE FUNCTION add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN a + b;
CREATE FUNCTION add(a text, VARIADIC b text[]) RETURNS text LANGUAGE plpgsql STRICT SECURITY DEFINER
    SET search_path = public AS $$ BEGIN RETURN a || b[1]; END $$;
COMMENT ON FUNCTION add(integer, integer) IS 'plus';
GRANT EXECUTE ON FUNCTION add(integer, integer) TO PUBLIC;
CREATE FUNCTION "Größe, ""x"" y"."f (x)"(OUT one integer, INOUT two mood) LANGUAGE sql
    AS $$ SELECT 1, two $$;
CREATE FUNCTION listed() RETURNS TABLE (id integer, email text) LANGUAGE sql STABLE ROWS 10 COST 50
    AS 'SELECT id, email FROM users';
CREATE PROCEDURE clean(days integer) LANGUAGE plpgsql AS $$ BEGIN DELETE FROM users WHERE created < now() - days * interval '1 day'; END $$;
COMMENT ON PROCEDURE clean IS 'at night';
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = SAFE);
COMMENT ON AGGREGATE total(integer) IS 'sum';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.created = now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF name ON users FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION touched('x');
COMMENT ON TRIGGER touch ON users IS 'at each change';
CREATE TRIGGER silent AFTER INSERT ON users REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touched();
ALTER TABLE users DISABLE TRIGGER silent;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON users DEFERRABLE FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER on_all BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION touched();
CREATE RULE kept AS ON DELETE TO tenants DO INSTEAD NOTHING;
COMMENT ON RULE kept ON tenants IS 'for ever';
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users FOR SELECT TO PUBLIC USING (tenant_id = current_setting('app.tenant')::bigint);
CREATE POLICY no_root ON users AS RESTRICTIVE FOR ALL TO pg_monitor, pg_read_all_data USING (id > 0) WITH CHECK (id > 1);
COMMENT ON POLICY own_rows ON users IS 'tenants are apart';

-- views
CREATE VIEW active_users WITH (security_barrier) AS SELECT id, name, tenant_id FROM users WHERE active
    WITH LOCAL CHECK OPTION;
COMMENT ON VIEW active_users IS 'today';
COMMENT ON COLUMN active_users.name IS 'as they wrote it';
ALTER VIEW active_users ALTER COLUMN name SET DEFAULT 'nobody';
GRANT SELECT ON active_users TO PUBLIC;
CREATE VIEW audit.per_tenant AS
    SELECT t.slug, count(*) AS users, max(a.name) FILTER (WHERE a.id > 3) AS last, add(1, 2) AS three
    FROM active_users a JOIN tenants t ON t.id = a.tenant_id GROUP BY t.slug HAVING count(*) > 0 ORDER BY 2 DESC;
CREATE RECURSIVE VIEW chain (id, depth) AS
    SELECT id, 1 FROM users WHERE manager IS NULL
    UNION ALL SELECT u.id, depth + 1 FROM users u JOIN chain c ON c.id = u.manager;
CREATE MATERIALIZED VIEW counted WITH (fillfactor = 60) AS SELECT tenant_id, count(*) AS n FROM users GROUP BY tenant_id;
CREATE UNIQUE INDEX ix_counted ON counted (tenant_id);
COMMENT ON MATERIALIZED VIEW counted IS 'at night';
CREATE RULE insert_active AS ON INSERT TO audit.per_tenant DO INSTEAD NOTHING;

-- what few have
CREATE FUNCTION same(a pair, b pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT (a).a = (b).a';
CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same, COMMUTATOR = ===);
COMMENT ON OPERATOR === (pair, pair) IS 'alike';
CREATE OPERATOR FAMILY by_size USING btree;
CREATE OPERATOR CLASS backwards FOR TYPE integer USING btree FAMILY by_size AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE FUNCTION to_text(pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a::text';
CREATE CAST (pair AS text) WITH FUNCTION to_text(pair) AS ASSIGNMENT;
COMMENT ON CAST (pair AS text) IS 'the first';
CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION french_like (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION french_like ALTER MAPPING FOR word, asciiword WITH short, simple;
COMMENT ON TEXT SEARCH CONFIGURATION french_like IS 'for titles';
CREATE DEFAULT CONVERSION audit.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE elsewhere (a integer) USING heap_too;
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'true');
CREATE SERVER far TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'h');
COMMENT ON SERVER far IS 'not here';
GRANT USAGE ON FOREIGN SERVER far TO pg_monitor;
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (password 'a secret');
CREATE FOREIGN TABLE away (a integer OPTIONS (column_name 'A') NOT NULL, b text) SERVER far OPTIONS (table_name 't');
CREATE PUBLICATION everything FOR TABLE users (id, email) WHERE (id > 10), tenants WITH (publish = 'insert, update');
CREATE PUBLICATION audited FOR TABLES IN SCHEMA audit;
CREATE FUNCTION watched() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION watched();
ALTER EVENT TRIGGER watch DISABLE;
COMMENT ON EVENT TRIGGER watch IS 'off';
CREATE TYPE shell_only;
CREATE TRANSFORM FOR pair LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal));
