"""Names and strings as SQL takes them. https://www.postgresql.org/docs/current/sql-syntax-lexical.html"""


def quoted(name: str) -> str:
    """Return a name as SQL, always in quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a string as SQL, whatever standard_conforming_strings says."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'" if "\\" not in text else " E'" + escaped.replace("\\", "\\\\") + "'"
