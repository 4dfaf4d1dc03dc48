"""The parts of the statement for the kinds of objects that few schemas have. Never runs it.

Options of user mappings and connection strings of subscriptions hold passwords and are not asked for.
"""

from app.migrations.inspection_parts import ENABLED, Part, row


def _own(class_: str, oid: str) -> str:
    """Return the condition for what neither the server brought along nor an extension."""
    members = f"SELECT objid FROM member WHERE classid = '{class_}'::regclass"  # noqa: S608 -- both are constants
    return f"{oid} >= 16384 AND {oid} NOT IN ({members})"


LANGUAGE = Part(
    "pg_language",
    row(
        "l.oid",
        "'language'",
        "quote_ident(lanname)",
        """'definition', concat('HANDLER ', lanplcallfoid::regproc, ' INLINE ', laninline::regproc, ' VALIDATOR ',
            lanvalidator::regproc, CASE WHEN lanpltrusted THEN ' TRUSTED' END)""",
        owner="lanowner",
        acl="lanacl",
        acl_kind="'l'",
    ),
    f"FROM pg_language l WHERE {_own('pg_language', 'l.oid')}",
    "pg_language WHERE oid >= 16384",
)
CAST = Part(
    "pg_cast",
    row(
        "c.oid",
        "'cast'",
        "concat('(', format_type(castsource, NULL), ' AS ', format_type(casttarget, NULL), ')')",
        """'definition', concat(CASE castmethod WHEN 'f' THEN 'WITH FUNCTION ' || castfunc::regprocedure
            WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
            CASE castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END)""",
    ),
    f"FROM pg_cast c WHERE {_own('pg_cast', 'c.oid')} AND c.oid NOT IN "  # noqa: S608
    "(SELECT objid FROM inner_part WHERE classid = 'pg_cast'::regclass)",
    "pg_cast WHERE oid >= 16384",
)
TRANSFORM = Part(
    "pg_transform",
    row(
        "t.oid",
        "'transform'",
        "concat('for ', format_type(trftype, NULL), ' language ', quote_ident(lanname))",
        "'definition', concat('FROM SQL ', trffromsql, ', TO SQL ', trftosql)",
    ),
    f"FROM pg_transform t JOIN pg_language l ON l.oid = trflang WHERE {_own('pg_transform', 't.oid')}",
    "pg_transform WHERE oid >= 16384",
)
ACCESS_METHOD = Part(
    "pg_am",
    row(
        "a.oid",
        "'access method'",
        "quote_ident(amname)",
        "'definition', concat(CASE amtype WHEN 't' THEN 'TABLE ' ELSE 'INDEX ' END, amhandler)",
    ),
    f"FROM pg_am a WHERE {_own('pg_am', 'a.oid')}",
    "pg_am WHERE oid >= 16384",
)
COLLATION = Part(
    "pg_collation",
    row(
        "c.oid",
        "'collation'",
        "prefix || quote_ident(collname)",
        """'provider', CASE collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin'
            ELSE 'default' END,
        'locale', coalesce({locale}, collcollate), 'LC_CTYPE', nullif(collctype, collcollate),
        'deterministic', CASE WHEN NOT collisdeterministic THEN 'no' END, 'rules', {icu_rules}""",
        owner="collowner",
    ),
    f"FROM pg_collation c JOIN space ON space.oid = collnamespace WHERE {_own('pg_collation', 'c.oid')}",
    "pg_collation WHERE oid >= 16384",
)
CONVERSION = Part(
    "pg_conversion",
    row(
        "c.oid",
        "'conversion'",
        "prefix || quote_ident(conname)",
        """'definition', concat(CASE WHEN condefault THEN 'DEFAULT ' END, 'FOR ', pg_encoding_to_char(conforencoding),
            ' TO ', pg_encoding_to_char(contoencoding), ' FROM ', conproc)""",
        owner="conowner",
    ),
    f"FROM pg_conversion c JOIN space ON space.oid = connamespace WHERE {_own('pg_conversion', 'c.oid')}",
    "pg_conversion WHERE oid >= 16384",
)
OPERATOR = Part(
    "pg_operator",
    row(
        "o.oid",
        "'operator'",
        "o.oid::regoperator",
        """'definition', concat('FUNCTION ', oprcode, CASE WHEN oprcom <> 0 THEN ', COMMUTATOR ' || oprcom::regoperator
            END, CASE WHEN oprnegate <> 0 THEN ', NEGATOR ' || oprnegate::regoperator END,
            CASE WHEN oprrest <> 0 THEN ', RESTRICT ' || oprrest END, CASE WHEN oprjoin <> 0 THEN ', JOIN ' || oprjoin
            END, CASE WHEN oprcanmerge THEN ', MERGES' END, CASE WHEN oprcanhash THEN ', HASHES' END)""",
        owner="oprowner",
    ),
    f"FROM pg_operator o JOIN space ON space.oid = oprnamespace WHERE oprcode <> 0 AND {_own('pg_operator', 'o.oid')}",
    "pg_operator WHERE oid >= 16384",
)
OPERATOR_FAMILY = Part(
    "pg_opfamily",
    row(
        "f.oid",
        "'operator family'",
        "prefix || quote_ident(opfname) || ' USING ' || quote_ident(amname)",
        """'operators', (SELECT string_agg(concat(amopstrategy, ' ', amopopr::regoperator, CASE WHEN amopsortfamily <> 0
            THEN ' for order' END), ', ' ORDER BY amopstrategy, amopopr::regoperator::text)
            FROM pg_amop WHERE amopfamily = f.oid),
        'functions', (SELECT string_agg(concat(amprocnum, ' (', amproclefttype::regtype, ', ', amprocrighttype::regtype,
            ') ', amproc::regprocedure), ', ' ORDER BY amprocnum, amproclefttype::regtype::text,
            amprocrighttype::regtype::text) FROM pg_amproc WHERE amprocfamily = f.oid)""",
        owner="opfowner",
    ),
    f"""FROM pg_opfamily f JOIN space ON space.oid = opfnamespace JOIN pg_am a ON a.oid = opfmethod
    WHERE {_own("pg_opfamily", "f.oid")}""",
    "pg_opfamily WHERE oid >= 16384",
)
OPERATOR_CLASS = Part(
    "pg_opclass",
    row(
        "o.oid",
        "'operator class'",
        "prefix || quote_ident(opcname) || ' USING ' || quote_ident(amname)",
        """'definition', concat(CASE WHEN opcdefault THEN 'DEFAULT ' END, 'FOR TYPE ', opcintype::regtype, ' FAMILY ',
            (SELECT opfnamespace::regnamespace || '.' || quote_ident(opfname) FROM pg_opfamily f
            WHERE f.oid = opcfamily), CASE WHEN opckeytype <> 0 THEN ' STORAGE ' || opckeytype::regtype END)""",
        owner="opcowner",
    ),
    f"""FROM pg_opclass o JOIN space ON space.oid = opcnamespace JOIN pg_am a ON a.oid = opcmethod
    WHERE {_own("pg_opclass", "o.oid")}""",
    "pg_opclass WHERE oid >= 16384",
)
TEXT_SEARCH_PARSER = Part(
    "pg_ts_parser",
    row(
        "p.oid",
        "'text search parser'",
        "prefix || quote_ident(prsname)",
        """'definition', concat('START ', prsstart, ', GETTOKEN ', prstoken, ', END ', prsend, ', HEADLINE ',
            prsheadline, ', LEXTYPES ', prslextype)""",
    ),
    f"FROM pg_ts_parser p JOIN space ON space.oid = prsnamespace WHERE {_own('pg_ts_parser', 'p.oid')}",
    "pg_ts_parser WHERE oid >= 16384",
)
TEXT_SEARCH_TEMPLATE = Part(
    "pg_ts_template",
    row(
        "t.oid",
        "'text search template'",
        "prefix || quote_ident(tmplname)",
        "'definition', concat('INIT ', tmplinit, ', LEXIZE ', tmpllexize)",
    ),
    f"FROM pg_ts_template t JOIN space ON space.oid = tmplnamespace WHERE {_own('pg_ts_template', 't.oid')}",
    "pg_ts_template WHERE oid >= 16384",
)
TEXT_SEARCH_DICTIONARY = Part(
    "pg_ts_dict",
    row(
        "d.oid",
        "'text search dictionary'",
        "prefix || quote_ident(dictname)",
        """'template', (SELECT tmplnamespace::regnamespace || '.' || quote_ident(tmplname) FROM pg_ts_template t
            WHERE t.oid = dicttemplate), 'options', dictinitoption""",
        owner="dictowner",
    ),
    f"FROM pg_ts_dict d JOIN space ON space.oid = dictnamespace WHERE {_own('pg_ts_dict', 'd.oid')}",
    "pg_ts_dict WHERE oid >= 16384",
)
TEXT_SEARCH_CONFIGURATION = Part(
    "pg_ts_config",
    row(
        "c.oid",
        "'text search configuration'",
        "prefix || quote_ident(cfgname)",
        """'parser', (SELECT prsnamespace::regnamespace || '.' || quote_ident(prsname) FROM pg_ts_parser p
            WHERE p.oid = cfgparser),
        'mapping', (SELECT string_agg(concat(alias, ' ', mapdict::regdictionary), ', ' ORDER BY alias, mapseqno)
            FROM pg_ts_config_map m JOIN LATERAL ts_token_type(cfgparser) ON tokid = maptokentype
            WHERE mapcfg = c.oid)""",
        owner="cfgowner",
    ),
    f"FROM pg_ts_config c JOIN space ON space.oid = cfgnamespace WHERE {_own('pg_ts_config', 'c.oid')}",
    "pg_ts_config WHERE oid >= 16384",
)
FOREIGN_DATA_WRAPPER = Part(
    "pg_foreign_data_wrapper",
    row(
        "w.oid",
        "'foreign-data wrapper'",
        "quote_ident(fdwname)",
        """'definition', concat('HANDLER ', fdwhandler::regproc, ' VALIDATOR ', fdwvalidator::regproc),
        'options', fdwoptions""",
        owner="fdwowner",
        acl="fdwacl",
        acl_kind="'F'",
    ),
    f"FROM pg_foreign_data_wrapper w WHERE {_own('pg_foreign_data_wrapper', 'w.oid')}",
    "pg_foreign_data_wrapper WHERE oid >= 16384",
)
SERVER = Part(
    "pg_foreign_server",
    row(
        "s.oid",
        "'server'",
        "quote_ident(srvname)",
        """'wrapper', quote_ident(fdwname), 'type', srvtype, 'version', srvversion,
        'options', srvoptions""",
        owner="srvowner",
        acl="srvacl",
        acl_kind="'S'",
    ),
    f"""FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw
    WHERE {_own("pg_foreign_server", "s.oid")}""",
    "pg_foreign_server WHERE oid >= 16384",
)
USER_MAPPING = Part(
    "pg_user_mapping",
    row("umid", "'user mapping'", "quote_ident(usename) || ' ON ' || quote_ident(srvname)", ""),
    "FROM pg_user_mappings",
    "pg_user_mappings",
)
EVENT_TRIGGER = Part(
    "pg_event_trigger",
    row(
        "e.oid",
        "'event trigger'",
        "quote_ident(evtname)",
        """'definition', concat('ON ', evtevent, ' WHEN TAG IN (' || array_to_string(evttags, ', ') || ')', ' EXECUTE ',
            evtfoid::regprocedure), """
        + ENABLED.format("evtenabled"),
        owner="evtowner",
    ),
    f"FROM pg_event_trigger e WHERE {_own('pg_event_trigger', 'e.oid')}",
    "pg_event_trigger WHERE oid >= 16384",
)
PUBLICATION = Part(
    "pg_publication",
    row(
        "p.oid",
        "'publication'",
        "quote_ident(pubname)",
        """'definition', concat(CASE WHEN puballtables THEN 'FOR ALL TABLES ' END,
            CASE WHEN pubinsert THEN 'insert ' END, CASE WHEN pubupdate THEN 'update ' END,
            CASE WHEN pubdelete THEN 'delete ' END, CASE WHEN pubtruncate THEN 'truncate ' END,
            CASE WHEN pubviaroot THEN 'via root ' END),
        'generated columns', {generated_columns},
        'schemas', (SELECT string_agg(quote_ident(nspname), ', ' ORDER BY nspname) FROM pg_publication_namespace n
            JOIN pg_namespace s ON s.oid = pnnspid WHERE pnpubid = p.oid)""",
        owner="pubowner",
    ),
    f"FROM pg_publication p WHERE {_own('pg_publication', 'p.oid')}",
    "pg_publication WHERE oid >= 16384",
)
PUBLICATION_TABLE = Part(
    "pg_publication_rel",
    row(
        "r.oid",
        "'publication table'",
        "quote_ident(pubname) || ' ON ' || path",
        """'columns', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute
            WHERE attrelid = prrelid AND attnum = ANY (prattrs)), 'where', pg_get_expr(prqual, prrelid)""",
    ),
    "FROM pg_publication_rel r JOIN pg_publication p ON p.oid = prpubid JOIN relation c ON c.oid = prrelid",
    "pg_publication_rel WHERE oid >= 16384",
)
SUBSCRIPTION = Part(
    "pg_subscription",
    row(
        "s.oid",
        "'subscription'",
        "quote_ident(subname)",
        """'publications', array_to_string(subpublications, ', '), 'enabled', subenabled::text, 'slot', subslotname,
        'binary', subbinary::text, 'synchronous commit', subsynccommit""",
        owner="subowner",
    ),
    "FROM pg_subscription s WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
    "pg_subscription WHERE oid >= 16384",
)
PARTS = (
    LANGUAGE, CAST, TRANSFORM, ACCESS_METHOD, COLLATION, CONVERSION, OPERATOR, OPERATOR_FAMILY, OPERATOR_CLASS,
    TEXT_SEARCH_PARSER, TEXT_SEARCH_TEMPLATE, TEXT_SEARCH_DICTIONARY, TEXT_SEARCH_CONFIGURATION, FOREIGN_DATA_WRAPPER,
    SERVER, USER_MAPPING, EVENT_TRIGGER, PUBLICATION, PUBLICATION_TABLE, SUBSCRIPTION,
)  # fmt: skip
