-- One difference each: its name, what makes it on a database with the rich schema, and what has to be found, all of it.
-- "(18)" marks what only PostgreSQL 18 knows.

-- a schema too many
CREATE SCHEMA extra;
--> schema extra is only in after

-- a schema too many with all that is in it
CREATE SCHEMA extra;
CREATE TABLE extra.t (id serial PRIMARY KEY);
CREATE VIEW extra.v AS SELECT * FROM extra.t;
CREATE TYPE extra.e AS ENUM ('x');
CREATE FUNCTION extra.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
--> schema extra is only in after

-- the grants on a schema
GRANT CREATE ON SCHEMA audit TO PUBLIC;
--> schema audit: grants to PUBLIC is "CREATE" in after, not set in before

-- the owner of a schema
ALTER SCHEMA audit OWNER TO pg_monitor;
--> schema audit: owner is "pg_monitor" in after, "postgres" in before

-- the comment on a schema
COMMENT ON SCHEMA public IS 'other';
--> schema public: comment is "other" in after, "the shop" in before

-- a table too many
CREATE TABLE more (id integer PRIMARY KEY, name text UNIQUE);
--> table public.more is only in after

-- a table lost
DROP TABLE refers;
--> table public.refers is missing in after

-- a table renamed
ALTER TABLE others RENAME TO renamed;
--> table public.children: inherits is "public.parents, public.renamed" in after, "public.parents, public.others" in before
--> table public.others is missing in after
--> table public.renamed is only in after

-- a table with a serial column and an index too many
CREATE TABLE "Größe, ""x"" y"."to ""go""" (id serial PRIMARY KEY, a integer);
CREATE INDEX i ON "Größe, ""x"" y"."to ""go""" (a);
--> table "Größe, ""x"" y"."to ""go""" is only in after

-- a partition lost
DROP TABLE hashed_1;
--> table public.hashed_1 is missing in after

-- a partitioned table lost with its partitions
DROP TABLE hashed;
--> table public.hashed is missing in after

-- a partition detached
ALTER TABLE hashed DETACH PARTITION hashed_0;
--> table public.hashed_0: part of is not set in after, "public.hashed" in before
--> constraint hashed_id_fkey ON public.hashed_0 is only in after

-- a partition with other bounds
ALTER TABLE events DETACH PARTITION events_2024;
ALTER TABLE events ATTACH PARTITION events_2024 FOR VALUES FROM ('2024-02-01') TO ('2025-01-01');
--> table public.events_2024: partition bound is "FOR VALUES FROM ('2024-02-01') TO ('2025-01-01')" in after, "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')" in before

-- a table that is logged
ALTER TABLE "Größe, ""x"" y"."Ma ""table"", ON x.y" SET LOGGED;
--> table "Größe, ""x"" y"."Ma ""table"", ON x.y": persistence is not set in after, "unlogged" in before

-- the options of a table
ALTER TABLE users SET (fillfactor = 50);
--> table public.users: options is "autovacuum_enabled=false, fillfactor=50" in after, "autovacuum_enabled=false, fillfactor=90" in before

-- the TOAST options of a table
ALTER TABLE users RESET (toast.autovacuum_enabled);
--> table public.users: TOAST options is not set in after, "autovacuum_enabled=false" in before

-- the replica identity of a table
ALTER TABLE users REPLICA IDENTITY DEFAULT;
--> table public.users: replica identity is not set in after, "full" in before

-- an index as replica identity
ALTER TABLE parents REPLICA IDENTITY USING INDEX parents_pkey;
--> constraint parents_pkey ON public.parents: replica identity is "yes" in after, not set in before

-- row security switched off
ALTER TABLE users DISABLE ROW LEVEL SECURITY;
--> table public.users: row security is not set in after, "enabled" in before

-- row security not forced
ALTER TABLE users NO FORCE ROW LEVEL SECURITY;
--> table public.users: row security of the owner is not set in after, "forced" in before

-- an inheritance cut
ALTER TABLE children NO INHERIT others;
--> table public.children: inherits is "public.parents" in after, "public.parents, public.others" in before

-- a table no longer of a type
ALTER TABLE of_pair NOT OF;
--> table public.of_pair: of type is not set in after, "public.pair" in before

-- the access method of a table
CREATE ACCESS METHOD heap_three TYPE TABLE HANDLER heap_tableam_handler;
ALTER TABLE elsewhere RENAME TO moved;
CREATE TABLE elsewhere (a integer) USING heap_three;
DROP TABLE moved;
--> table public.elsewhere: access method is "heap_three" in after, "heap_too" in before
--> access method heap_three is only in after

-- the comment on a table
COMMENT ON TABLE tenants IS NULL;
--> table public.tenants: comment is not set in after, "who pays" in before

-- the owner of a table
ALTER TABLE parents OWNER TO pg_monitor;
--> table public.parents: owner is "pg_monitor" in after, "postgres" in before

-- the grants on a table
REVOKE INSERT ON users FROM pg_read_all_data;
--> table public.users: grants to pg_read_all_data is "SELECT WITH GRANT OPTION" in after, "INSERT WITH GRANT OPTION, SELECT WITH GRANT OPTION" in before

-- a grant option
REVOKE GRANT OPTION FOR SELECT ON users FROM pg_read_all_data;
--> table public.users: grants to pg_read_all_data is "INSERT WITH GRANT OPTION, SELECT" in after, "INSERT WITH GRANT OPTION, SELECT WITH GRANT OPTION" in before

-- a right that the owner took away from himself
REVOKE USAGE ON SEQUENCE users_id_seq FROM CURRENT_USER;
--> sequence public.users_id_seq: grants to the owner is "SELECT, UPDATE" in after, not set in before

-- a column lost
ALTER TABLE users DROP COLUMN picture;
--> column public.users.picture is missing in after

-- a column too many
ALTER TABLE users ADD COLUMN more text;
--> column public.users.more is only in after

-- a column renamed
ALTER TABLE users RENAME COLUMN picture TO photo;
--> column public.users.photo is only in after
--> column public.users.picture is missing in after

-- a column of a partitioned table lost
ALTER TABLE events DROP COLUMN payload;
--> column public.events.payload is missing in after
--> index ix_events_payload ON public.events is missing in after

-- the type of a column
ALTER TABLE parents ALTER id TYPE bigint;
--> column public.parents.id: type is "bigint" in after, "integer" in before

-- the length of a column's type
ALTER TABLE users ALTER "Straße ""1""" TYPE varchar(9);
--> column public.users."Straße ""1""": type is "character varying(9)" in after, "text" in before

-- the type of a column that partitions inherit
ALTER TABLE events ALTER payload TYPE varchar(9);
--> column public.events.payload: type is "character varying(9)" in after, "text" in before

-- a column that may be null
ALTER TABLE users ALTER created DROP NOT NULL;
--> column public.users.created: not null is not set in after, "yes" in before

-- a column that may not be null
ALTER TABLE users ALTER born SET NOT NULL;
--> column public.users.born: not null is "yes" in after, not set in before

-- a default lost
ALTER TABLE users ALTER active DROP DEFAULT;
--> column public.users.active: default is not set in after, "true" in before

-- another default
ALTER TABLE users ALTER active SET DEFAULT false;
--> column public.users.active: default is "false" in after, "true" in before

-- the default of a parent table's column
ALTER TABLE ONLY parents ALTER later SET DEFAULT 8;
--> column public.parents.later: default is "8" in after, "7" in before

-- an identity lost
ALTER TABLE tenants ALTER id DROP IDENTITY;
--> column public.tenants.id: identity is not set in after, "always" in before

-- another kind of identity
ALTER TABLE tenants ALTER id SET GENERATED BY DEFAULT;
--> column public.tenants.id: identity is "by default" in after, "always" in before

-- the start of an identity
ALTER TABLE tenants ALTER id SET START 200;
--> sequence public.tenants_id_seq: start is "200" in after, "100" in before

-- a generated column that is none
ALTER TABLE users ALTER shouted DROP EXPRESSION;
--> column public.users.shouted: generated is not set in after, "stored: upper(name)" in before

-- another expression of a generated column
ALTER TABLE users DROP shouted, ADD shouted text GENERATED ALWAYS AS (lower(name)) STORED;
--> column public.users.shouted: generated is "stored: lower(name)" in after, "stored: upper(name)" in before

-- the collation of a column
ALTER TABLE users ALTER "Straße ""1""" TYPE text COLLATE "C";
--> column public.users."Straße ""1""": collation is ""C"" in after, not set in before

-- the storage of a column
ALTER TABLE users ALTER picture SET STORAGE EXTENDED;
--> column public.users.picture: storage is not set in after, "external" in before

-- the compression of a column
ALTER TABLE users ALTER tags SET COMPRESSION default;
--> column public.users.tags: compression is not set in after, "pglz" in before

-- the statistics target of a column
ALTER TABLE users ALTER name SET STATISTICS 400;
--> column public.users.name: statistics target is "400" in after, "500" in before

-- the options of a column
ALTER TABLE users ALTER email RESET (n_distinct);
--> column public.users.email: options is not set in after, "n_distinct=-1" in before

-- the comment on a column
COMMENT ON COLUMN tenants.slug IS 'other';
--> column public.tenants.slug: comment is "other" in after, "in the URL" in before

-- the grants on a column
REVOKE UPDATE (name) ON users FROM pg_monitor;
--> column public.users.name: grants to pg_monitor is not set in after, "UPDATE" in before

-- a check lost
ALTER TABLE users DROP CONSTRAINT users_born_check;
--> constraint users_born_check ON public.users is missing in after

-- a check too many
ALTER TABLE users ADD CHECK (id > 0);
--> constraint users_id_check ON public.users is only in after

-- a check of a parent table too many
ALTER TABLE parents ADD CONSTRAINT c CHECK (id > 0);
--> constraint c ON public.parents is only in after

-- the text of a check
ALTER TABLE users DROP CONSTRAINT users_born_check, ADD CHECK (born > '1901-01-01');
--> constraint users_born_check ON public.users: definition is "CHECK ((born > '1901-01-01'::date))" in after, "CHECK ((born > '1900-01-01'::date))" in before

-- a constraint validated
ALTER TABLE users VALIDATE CONSTRAINT grown;
--> constraint grown ON public.users: valid is not set in after, "no" in before

-- a constraint renamed
ALTER TABLE users RENAME CONSTRAINT of_tenant TO renamed;
--> constraint of_tenant ON public.users is missing in after
--> constraint renamed ON public.users is only in after

-- a foreign key lost
ALTER TABLE users DROP CONSTRAINT of_tenant;
--> constraint of_tenant ON public.users is missing in after

-- the action of a foreign key
ALTER TABLE users DROP CONSTRAINT of_tenant, ADD CONSTRAINT of_tenant FOREIGN KEY (tenant_id) REFERENCES tenants ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
--> constraint of_tenant ON public.users: definition is "FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED" in after, "FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED" in before

-- a foreign key that is not deferred
ALTER TABLE users ALTER CONSTRAINT of_tenant NOT DEFERRABLE;
--> constraint of_tenant ON public.users: definition is "FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE" in after, "FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED" in before

-- a primary key lost
ALTER TABLE tenants DROP CONSTRAINT tenants_pkey CASCADE;
--> constraint of_tenant ON public.users is missing in after
--> constraint tenants_pkey ON public.tenants is missing in after

-- the columns of a unique constraint
ALTER TABLE users DROP CONSTRAINT email_known, ADD CONSTRAINT email_known UNIQUE NULLS NOT DISTINCT (tenant_id) INCLUDE (name) WITH (fillfactor = 80);
--> constraint email_known ON public.users: definition is "UNIQUE NULLS NOT DISTINCT (tenant_id) INCLUDE (name)" in after, "UNIQUE NULLS NOT DISTINCT (tenant_id, email) INCLUDE (name)" in before

-- the options of a constraint's index
ALTER INDEX email_known RESET (fillfactor);
--> constraint email_known ON public.users: options is not set in after, "fillfactor=80" in before

-- an exclusion constraint lost
ALTER TABLE "Größe, ""x"" y"."Ma ""table"", ON x.y" DROP CONSTRAINT "no overlap";
--> constraint "no overlap" ON "Größe, ""x"" y"."Ma ""table"", ON x.y" is missing in after

-- the comment on a constraint
COMMENT ON CONSTRAINT slug_known ON tenants IS NULL;
--> constraint slug_known ON public.tenants: comment is not set in after, "one each" in before

-- the comment on a constraint's index
COMMENT ON INDEX tenants_pkey IS NULL;
--> constraint tenants_pkey ON public.tenants: comment of the index is not set in after, "the index of the key" in before

-- an index lost
DROP INDEX ix_users_tags;
--> index ix_users_tags ON public.users is missing in after

-- an index too many
CREATE INDEX ix_more ON users (born);
--> index ix_more ON public.users is only in after

-- an index of a partitioned table lost
DROP INDEX ix_events_payload;
--> index ix_events_payload ON public.events is missing in after

-- an index renamed
ALTER INDEX ix_users_tags RENAME TO renamed;
--> index ix_users_tags ON public.users is missing in after
--> index renamed ON public.users is only in after

-- the predicate of an index
DROP INDEX ix_users_name;
CREATE INDEX ix_users_name ON users (lower(name), created DESC NULLS LAST);
ALTER INDEX ix_users_name ALTER COLUMN 1 SET STATISTICS 300;
COMMENT ON INDEX ix_users_name IS 'to find them';
--> index ix_users_name ON public.users: definition is "CREATE INDEX ix_users_name ON public.users USING btree (lower(name), created DESC NULLS LAST)" in after, "CREATE INDEX ix_users_name ON public.users USING btree (lower(name), created DESC NULLS LAST) WHERE active" in before

-- an index that is not unique
DROP INDEX ix_counted;
CREATE INDEX ix_counted ON counted (tenant_id);
--> index ix_counted ON public.counted: definition is "CREATE INDEX ix_counted ON public.counted USING btree (tenant_id)" in after, "CREATE UNIQUE INDEX ix_counted ON public.counted USING btree (tenant_id)" in before

-- the operator class of an index
DROP INDEX "Größe, ""x"" y"."ix é";
CREATE INDEX "ix é" ON "Größe, ""x"" y"."Ma ""table"", ON x.y" ("a.b" text_pattern_ops);
--> index "ix é" ON "Größe, ""x"" y"."Ma ""table"", ON x.y": definition is "CREATE INDEX "ix é" ON "Größe, ""x"" y"."Ma ""table"", ON x.y" USING btree ("a.b" text_pattern_ops)" in after, "CREATE INDEX "ix é" ON "Größe, ""x"" y"."Ma ""table"", ON x.y" USING btree ("a.b")" in before

-- an invalid index
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_users_tags'::regclass;
--> index ix_users_tags ON public.users: valid is "no" in after, not set in before

-- an invalid index of a constraint
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'slug_known'::regclass;
--> constraint slug_known ON public.tenants: valid is "no" in after, not set in before

-- an index of a partition that is not attached
CREATE INDEX ON ONLY events (kind);
--> index events_kind_idx ON public.events is only in after

-- the statistics target of an index
ALTER INDEX ix_users_name ALTER COLUMN 1 SET STATISTICS 100;
--> index ix_users_name ON public.users: statistics target of column 1 is "100" in after, "300" in before

-- a table not clustered
ALTER TABLE users SET WITHOUT CLUSTER;
--> index ix_users_email ON public.users: clustered is not set in after, "yes" in before

-- a sequence lost
DROP SEQUENCE invoice_number;
--> sequence public.invoice_number is missing in after

-- the increment of a sequence
ALTER SEQUENCE invoice_number INCREMENT 6;
--> sequence public.invoice_number: increment is "6" in after, "5" in before

-- the type of a sequence
ALTER SEQUENCE invoice_number AS bigint;
--> sequence public.invoice_number: type is "bigint" in after, "integer" in before

-- the bounds of a sequence
ALTER SEQUENCE invoice_number MAXVALUE 80000;
--> sequence public.invoice_number: maximum is "80000" in after, "90000" in before

-- a sequence that does not cycle
ALTER SEQUENCE invoice_number NO CYCLE;
--> sequence public.invoice_number: cycle is not set in after, "yes" in before

-- the cache of a sequence
ALTER SEQUENCE invoice_number CACHE 4;
--> sequence public.invoice_number: cache is "4" in after, "3" in before

-- the owner of a sequence
ALTER SEQUENCE invoice_number OWNED BY NONE;
--> sequence public.invoice_number: owned by is not set in after, "public.users.id" in before

-- an enum too many
CREATE TYPE status AS ENUM ('on');
--> enum public.status is only in after

-- a label of an enum too many
ALTER TYPE mood ADD VALUE 'angry' AFTER 'sad';
--> enum public.mood: labels is "'sad', 'angry', 'it''s ok', 'calm', 'happy'" in after, "'sad', 'it''s ok', 'calm', 'happy'" in before

-- a label of an enum renamed
ALTER TYPE mood RENAME VALUE 'happy' TO 'glad';
--> enum public.mood: labels is "'sad', 'it''s ok', 'calm', 'glad'" in after, "'sad', 'it''s ok', 'calm', 'happy'" in before

-- the comment on an enum
COMMENT ON TYPE mood IS NULL;
--> enum public.mood: comment is not set in after, "how they feel" in before

-- a domain that may be null
ALTER DOMAIN price DROP NOT NULL;
--> domain public.price: not null is not set in after, "yes" in before

-- the default of a domain
ALTER DOMAIN price SET DEFAULT 1;
--> domain public.price: default is "1" in after, "0" in before

-- the check of a domain lost
ALTER DOMAIN price DROP CONSTRAINT positive;
--> constraint positive ON public.price is missing in after

-- the grants on a domain
REVOKE USAGE ON DOMAIN email FROM pg_read_all_data;
--> domain public.email: grants to pg_read_all_data is not set in after, "USAGE" in before

-- an attribute of a composite type too many
ALTER TYPE pair ADD ATTRIBUTE c integer CASCADE;
--> composite type public.pair: attributes is "a integer, "b c" text COLLATE "C", c integer" in after, "a integer, "b c" text COLLATE "C"" in before
--> column public.of_pair.c is only in after

-- a comment on an attribute lost
COMMENT ON COLUMN pair.a IS NULL;
--> column public.pair.a: comment is not set in after, "the first" in before

-- a range type too many
CREATE TYPE ids AS RANGE (SUBTYPE = bigint);
--> range type public.ids is only in after

-- the multirange of a range renamed
ALTER TYPE spans RENAME TO renamed;
--> range type public.span: definition is "RANGE (SUBTYPE = double precision, SUBTYPE_OPCLASS = pg_catalog.float8_ops, SUBTYPE_DIFF = public.float_difference, MULTIRANGE_TYPE_NAME = public.renamed)" in after, "RANGE (SUBTYPE = double precision, SUBTYPE_OPCLASS = pg_catalog.float8_ops, SUBTYPE_DIFF = public.float_difference, MULTIRANGE_TYPE_NAME = public.spans)" in before

-- a shell type lost
DROP TYPE shell_only;
--> base type public.shell_only is missing in after

-- a column of a view too many
CREATE OR REPLACE VIEW audit.per_tenant AS SELECT t.slug, count(*) AS users, max(a.name) FILTER (WHERE a.id > 3) AS last, add(1, 2) AS three, 4 AS four FROM active_users a JOIN tenants t ON t.id = a.tenant_id GROUP BY t.slug HAVING count(*) > 0 ORDER BY 2 DESC;
--> view audit.per_tenant: definition is "public.add(1, 2) AS three," in after, "public.add(1, 2) AS three" in before

-- a view lost
DROP VIEW chain;
--> view public.chain is missing in after

-- the text of a view
CREATE OR REPLACE VIEW active_users WITH (security_barrier) AS SELECT id, name, tenant_id FROM users WHERE NOT active WITH LOCAL CHECK OPTION;
--> view public.active_users: definition is "WHERE (NOT active);" in after, "WHERE active;" in before

-- the options of a view
ALTER VIEW active_users SET (security_barrier = false);
--> view public.active_users: options is "check_option=local, security_barrier=false" in after, "check_option=local, security_barrier=true" in before

-- the check option of a view
ALTER VIEW active_users RESET (check_option);
--> view public.active_users: options is "security_barrier=true" in after, "check_option=local, security_barrier=true" in before

-- the default of a view's column
ALTER VIEW active_users ALTER name DROP DEFAULT;
--> column public.active_users.name: default is not set in after, "'nobody'::text" in before

-- the comment on a view's column
COMMENT ON COLUMN active_users.name IS 'other';
--> column public.active_users.name: comment is "other" in after, "as they wrote it" in before

-- a materialized view lost
DROP MATERIALIZED VIEW counted;
--> materialized view public.counted is missing in after

-- the options of a materialized view
ALTER MATERIALIZED VIEW counted RESET (fillfactor);
--> materialized view public.counted: options is not set in after, "fillfactor=60" in before

-- a function lost
DROP FUNCTION add(text, text[]);
--> function public.add(text,text[]) is missing in after

-- the body of a function
CREATE OR REPLACE FUNCTION listed() RETURNS TABLE (id integer, email text) LANGUAGE sql STABLE ROWS 10 COST 50 AS 'SELECT id, name FROM users';
--> function public.listed(): definition is "AS $function$SELECT id, name FROM users$function$" in after, "AS $function$SELECT id, email FROM users$function$" in before

-- a function that is not stable
ALTER FUNCTION listed() VOLATILE;
--> function public.listed(): definition is "COST 50 ROWS 10" in after, "STABLE COST 50 ROWS 10" in before

-- a function that is not a security definer
ALTER FUNCTION add(text, text[]) SECURITY INVOKER;
--> function public.add(text,text[]): definition is "STRICT" in after, "STRICT SECURITY DEFINER" in before

-- a setting of a function
ALTER FUNCTION add(text, text[]) RESET search_path;
--> function public.add(text,text[]): definition is "AS $function$ BEGIN RETURN a || b[1]; END $function$" in after, "SET search_path TO 'public'" in before

-- the default of a function's argument
CREATE OR REPLACE FUNCTION add(a integer, b integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN a + b;
--> function public.add(integer,integer): definition is "CREATE OR REPLACE FUNCTION public.add(a integer, b integer DEFAULT 2)" in after, "CREATE OR REPLACE FUNCTION public.add(a integer, b integer DEFAULT 1)" in before

-- the grants on a function
REVOKE EXECUTE ON FUNCTION add(integer, integer) FROM PUBLIC;
--> function public.add(integer,integer): grants to PUBLIC is "nothing" in after, not set in before

-- a procedure lost
DROP PROCEDURE clean;
--> procedure public.clean(integer) is missing in after

-- an aggregate lost
DROP AGGREGATE total(integer);
--> aggregate public.total(integer) is missing in after

-- the start value of an aggregate
CREATE OR REPLACE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '1', PARALLEL = SAFE);
--> aggregate public.total(integer): definition is "SFUNC = int4pl, STYPE = integer, SSPACE = 0, FINALFUNC = - rf, COMBINEFUNC = -, SERIALFUNC = -, DESERIALFUNC = -, INITCOND = '1', MSFUNC = -, MINVFUNC = -, MSTYPE = -, MSSPACE = 0, MFINALFUNC = - rf, MINITCOND = NULL, SORTOP = 0, KIND = n 0, PARALLEL = s, ARGUMENTS = integer" in after, "SFUNC = int4pl, STYPE = integer, SSPACE = 0, FINALFUNC = - rf, COMBINEFUNC = -, SERIALFUNC = -, DESERIALFUNC = -, INITCOND = '0', MSFUNC = -, MINVFUNC = -, MSTYPE = -, MSSPACE = 0, MFINALFUNC = - rf, MINITCOND = NULL, SORTOP = 0, KIND = n 0, PARALLEL = s, ARGUMENTS = integer" in before

-- a trigger lost
DROP TRIGGER touch ON users;
--> trigger touch ON public.users is missing in after

-- a trigger of a partitioned table lost
DROP TRIGGER on_all ON events;
--> trigger on_all ON public.events is missing in after

-- a trigger enabled
ALTER TABLE users ENABLE TRIGGER silent;
--> trigger silent ON public.users: state is not set in after, "disabled" in before

-- a trigger of a partitioned table disabled
ALTER TABLE events DISABLE TRIGGER on_all;
--> trigger on_all ON public.events: state is "disabled" in after, not set in before

-- the condition of a trigger
DROP TRIGGER touch ON users;
CREATE TRIGGER touch BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION touched('x');
COMMENT ON TRIGGER touch ON users IS 'at each change';
--> trigger touch ON public.users: definition is "CREATE TRIGGER touch BEFORE UPDATE OF name ON public.users FOR EACH ROW EXECUTE FUNCTION public.touched('x')" in after, "CREATE TRIGGER touch BEFORE UPDATE OF name ON public.users FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION public.touched('x')" in before

-- a rule lost
DROP RULE kept ON tenants;
--> rule kept ON public.tenants is missing in after

-- a rule disabled
ALTER TABLE tenants DISABLE RULE kept;
--> rule kept ON public.tenants: state is "disabled" in after, not set in before

-- a policy lost
DROP POLICY no_root ON users;
--> policy no_root ON public.users is missing in after

-- the condition of a policy
ALTER POLICY own_rows ON users USING (true);
--> policy own_rows ON public.users: definition is "PERMISSIVE FOR SELECT TO PUBLIC USING (true)" in after, "PERMISSIVE FOR SELECT TO PUBLIC USING ((tenant_id = (current_setting('app.tenant'::text))::bigint))" in before

-- the roles of a policy
ALTER POLICY own_rows ON users TO pg_monitor;
--> policy own_rows ON public.users: definition is "PERMISSIVE FOR SELECT TO pg_monitor USING ((tenant_id = (current_setting('app.tenant'::text))::bigint))" in after, "PERMISSIVE FOR SELECT TO PUBLIC USING ((tenant_id = (current_setting('app.tenant'::text))::bigint))" in before

-- the version of an extension
UPDATE pg_extension SET extversion = '0.9';
--> extension plpgsql: version is "0.9" in after, "1.0" in before

-- statistics lost
DROP STATISTICS born_by_tenant;
--> statistics public.born_by_tenant is missing in after

-- the statistics target of statistics
ALTER STATISTICS born_by_tenant SET STATISTICS 300;
--> statistics public.born_by_tenant: statistics target is "300" in after, "200" in before

-- a collation too many
CREATE COLLATION posix FROM "POSIX";
--> collation public.posix is only in after

-- an operator lost
DROP OPERATOR === (pair, pair);
--> operator public.===(public.pair,public.pair) is missing in after

-- an operator class lost
DROP OPERATOR CLASS backwards USING btree;
--> operator class public.backwards USING btree is missing in after
--> operator family public.by_size USING btree: functions is not set in after, "1 (integer, integer) btint4cmp(integer,integer)" in before
--> operator family public.by_size USING btree: operators is not set in after, "1 >(integer,integer), 2 >=(integer,integer), 3 =(integer,integer), 4 <=(integer,integer), 5 <(integer,integer)" in before

-- a cast lost
DROP CAST (pair AS text);
--> cast (public.pair AS text) is missing in after

-- a dictionary's options
ALTER TEXT SEARCH DICTIONARY short (STOPWORDS);
--> text search dictionary public.short: options is not set in after, "stopwords = 'english'" in before

-- a mapping of a text search configuration
ALTER TEXT SEARCH CONFIGURATION french_like DROP MAPPING FOR url;
--> text search configuration public.french_like: mapping is "asciihword simple, asciiword public.short, asciiword simple, email simple, file simple, float simple, host simple, hword simple, hword_asciipart simple, hword_numpart simple, hword_part simple, int simple, numhword simple, numword simple, sfloat simple, uint simple, url_path simple, version simple, word public.short, word simple" in after, "asciihword simple, asciiword public.short, asciiword simple, email simple, file simple, float simple, host simple, hword simple, hword_asciipart simple, hword_numpart simple, hword_part simple, int simple, numhword simple, numword simple, sfloat simple, uint simple, url simple, url_path simple, version simple, word public.short, word simple" in before

-- a conversion lost
DROP CONVERSION audit.latin;
--> conversion audit.latin is missing in after

-- an access method too many
CREATE ACCESS METHOD heap_three TYPE TABLE HANDLER heap_tableam_handler;
--> access method heap_three is only in after

-- the options of a server
ALTER SERVER far OPTIONS (SET host 'other');
--> server far: options is "host=other" in after, "host=h" in before

-- a server lost
DROP SERVER far CASCADE;
--> foreign table public.away is missing in after
--> server far is missing in after

-- a user mapping too many
CREATE USER MAPPING FOR pg_monitor SERVER far;
--> user mapping pg_monitor ON far is only in after

-- the options of a foreign table
ALTER FOREIGN TABLE away OPTIONS (SET table_name 'u');
--> foreign table public.away: foreign options is "table_name=u" in after, "table_name=t" in before

-- the options of a foreign table's column
ALTER FOREIGN TABLE away ALTER a OPTIONS (DROP column_name);
--> column public.away.a: foreign options is not set in after, "column_name=A" in before

-- what a publication publishes
ALTER PUBLICATION everything SET (publish = 'insert');
--> publication everything: definition is "insert" in after, "insert update" in before

-- a table of a publication lost
ALTER PUBLICATION everything DROP TABLE tenants;
--> publication table everything ON public.tenants is missing in after

-- the columns of a published table
ALTER PUBLICATION everything SET TABLE users (id) WHERE (id > 10), tenants;
--> publication table everything ON public.users: columns is "id" in after, "email, id" in before

-- a schema of a publication lost
ALTER PUBLICATION audited DROP TABLES IN SCHEMA audit;
--> publication audited: schemas is not set in after, "audit" in before

-- an event trigger lost
DROP EVENT TRIGGER watch;
--> event trigger watch is missing in after

-- an event trigger enabled
ALTER EVENT TRIGGER watch ENABLE;
--> event trigger watch: state is not set in after, "disabled" in before

-- default privileges lost
ALTER DEFAULT PRIVILEGES IN SCHEMA audit REVOKE SELECT ON TABLES FROM pg_read_all_data;
--> default privileges of postgres in audit on tables is missing in after

-- a default privilege too many
ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT INSERT ON TABLES TO pg_read_all_data;
--> default privileges of postgres in audit on tables: grants to pg_read_all_data is "INSERT, SELECT" in after, "SELECT" in before

-- a transform lost
DROP TRANSFORM FOR pair LANGUAGE plpgsql;
--> transform for public.pair language plpgsql is missing in after

-- a language too many
CREATE LANGUAGE another HANDLER plpgsql_call_handler;
--> language another is only in after

-- a subscription
CREATE SUBSCRIPTION copied CONNECTION 'host=nowhere password=secret' PUBLICATION p WITH (connect = false);
--> subscription copied is only in after

-- a NOT NULL that is not validated (18)
ALTER TABLE users ADD CONSTRAINT named NOT NULL born NOT VALID;
--> column public.users.born: not null is "yes, not valid" in after, not set in before

-- a NOT NULL that is not inherited (18)
ALTER TABLE others ADD CONSTRAINT named NOT NULL weight NO INHERIT;
--> column public.others.weight: not null is "yes, no inherit" in after, not set in before

-- a comment on a NOT NULL (18)
COMMENT ON CONSTRAINT users_created_not_null ON users IS 'always';
--> column public.users.created: comment of not null is "always" in after, not set in before

-- a check that is not enforced (18)
ALTER TABLE users ADD CONSTRAINT loose CHECK (id > 0) NOT ENFORCED;
--> constraint loose ON public.users is only in after

-- a foreign key that is not enforced (18)
ALTER TABLE users ALTER CONSTRAINT users_manager_fkey NOT ENFORCED;
--> constraint users_manager_fkey ON public.users: enforced is "no" in after, not set in before

-- a generated column that is not stored (18)
ALTER TABLE users ADD doubled integer GENERATED ALWAYS AS (id * 2) VIRTUAL;
--> column public.users.doubled is only in after

-- generated columns in a publication (18)
ALTER PUBLICATION everything SET (publish_generated_columns = stored);
--> publication everything: generated columns is "stored" in after, not set in before

-- a privilege that only newer servers have (18)
GRANT MAINTAIN ON users TO pg_monitor;
--> table public.users: grants to pg_monitor is "MAINTAIN" in after, not set in before
