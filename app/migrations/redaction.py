"""The one place where text is made safe to show: hides passwords, never looks one up.

Structures are hidden whatever they hold: the password of a URL, `password=...` in a query or in a libpq
keyword string, `PGPASSWORD=...`, `"password": "..."`, SQL's `PASSWORD '...'`, and the pieces of a broken
connection string that libpq quotes back. A secret that the caller knows is also hidden where it stands free, in
every form in which a program prints it, but only when it is long enough to be no ordinary piece of text: hiding
each "a" because a password is "a" would tell the password. A short one is hidden inside the structures alone.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "***"
SHORTEST_FREE_SECRET = 6
ORDINARY_WORDS = frozenset({"database", "localhost", "password", "postgres", "postgresql", "public", "secret"})

_NAMES = r"(?:(?:ssl_?|pgssl|pg)?password|passwd|pwd|oauth_client_secret|scram_(?:client|server)_key)"
_SINGLE_QUOTED = r"""'(?:'"'"'|\\.|''|[^'\\])*'"""
_DOUBLE_QUOTED = r'"(?:\\.|[^"\\])*"'
_QUOTED = rf"(?:{_SINGLE_QUOTED}|'[^']*'|{_DOUBLE_QUOTED})"
_UNCLOSED = r"""['"][^\n]*"""

_URL = re.compile(r"(?P<scheme>[a-z0-9+.-]{1,40})://[^:/?#\s\[\]'\"]*:", re.I)
_NEXT_URL = re.compile(r"(?<=[\s'\"`<>(,;=])[a-z0-9+.-]{1,40}://", re.I)
_PORTS = re.compile(r"\d*(?:,[^/?\s@]*)?(?=[/?\s'\"`)>\].;,]|$)")
_AT_A_HOST = re.compile(r"@(?=(?:[\w.,-]|\[[\w:.%]*\])*(?::[\d,]+)?[/?])")

# Texts, since only an error has need of them: `re` compiles each at its first use and keeps it.
_QUERY = rf"(?i)(?P<head>[?&]{_NAMES}=)[^&#\s'\"]*"
_KEYWORD = (
    rf"(?is)(?<![?&])(?P<head>\b\w*?{_NAMES}(?P<before>\s*)=)(?P<after>[ \t]*)"
    rf"(?P<value>{_QUOTED}\S*|{_UNCLOSED}|(?:\\.|[^\s\\])*\\?)"
)
_ENTRY = rf"(?is)(?P<head>(?P<q>['\"])\w*?{_NAMES}(?P=q)\s*[:,]\s*)(?:b?{_QUOTED}|{_UNCLOSED})"
_SQL = rf"(?is)(?P<head>\bpassword\s+)(?:E?{_SINGLE_QUOTED}|'[^\n]*)"
_LIBPQ = r'(?P<head>percent-encoded (?:token|value): |missing "=" after )"[^\n]*"(?P<tail>[^"\n]*)'


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without passwords; texts that differ in the password alone come out the same.

    Too much is hidden rather than too little: in a URL everything up to the last `@` that can end a password,
    since an unescaped `@`, `/` or space may be part of it. Redacting twice changes nothing. Not even this finds a
    password that is written raw into a URL, begins like a port, and goes on after a line break: hand it in.
    """
    for secret in sorted({s for s in secrets if s}, key=lambda s: (-len(s), s)):
        text = _hide_known(text, secret)
    text = _hide_urls(text)
    text = re.sub(_QUERY, rf"\g<head>{HIDDEN}", text)
    text = re.sub(_KEYWORD, _hidden_keyword, text)
    text = re.sub(_ENTRY, rf"\g<head>{HIDDEN}", text)
    text = re.sub(_SQL, rf"\g<head>{HIDDEN}", text)
    return re.sub(_LIBPQ, rf'\g<head>"{HIDDEN}"\g<tail>', text)


def _hide_known(text: str, secret: str) -> str:
    for form in sorted(set(_forms(secret)), key=lambda form: (-len(form), form)):
        if form not in text:
            continue
        escaped = re.escape(form)
        text = re.sub(rf":{escaped}@", f":{HIDDEN}@", text)
        text = re.sub(rf"(\b{_NAMES}\s*=\s*){escaped}(?=$|[\s&'\"])", rf"\g<1>{HIDDEN}", text, flags=re.I)
        if _stands_free(form):
            edges = (r"(?<!\w)", r"(?!\w)") if form.isalpha() else ("", "")
            text = re.sub(edges[0] + escaped + edges[1], HIDDEN, text)
    return text


def _stands_free(form: str) -> bool:
    return len(form) >= SHORTEST_FREE_SECRET and form.lower() not in ORDINARY_WORDS


def _forms(secret: str) -> Iterator[str]:
    """How a password looks in a URL, in Python, in JSON, in libpq's keywords, in SQL and in a shell."""
    for plain in {secret, unquote(secret)}:
        yield plain
        data = plain.encode("utf-8", "surrogateescape" if _is_escaped_bytes(plain) else "surrogatepass")
        for encoded in (quote(data), quote(data, safe=""), quote_plus(data)):
            yield encoded
            yield re.sub("%[0-9A-F]{2}", lambda m: m.group().lower(), encoded)
        yield repr(plain)[1:-1]
        yield ascii(plain)[1:-1]
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield plain.replace("\\", "\\\\").replace("'", "\\'")
        yield plain.replace("'", "''")
        yield shlex.quote(plain)


def _is_escaped_bytes(text: str) -> bool:
    return all(not "\ud800" <= c <= "\udfff" or "\udc80" <= c <= "\udcff" for c in text)


def _hide_urls(text: str) -> str:
    pieces, at = [], 0
    while found := _URL.search(text, at):
        following = _NEXT_URL.search(text, found.end())
        rest = text[found.end() : following.start() if following else len(text)]
        end = _end_of_password(rest, postgres="postgres" in found["scheme"].lower())
        pieces += [text[at : found.end()], "" if end is None else HIDDEN]
        at = found.end() + (end or 0)
    return "".join([*pieces, text[at:]])


def _end_of_password(rest: str, postgres: bool) -> int | None:
    """Where the password at the start of `rest` ends, or None where a port stands there instead."""
    line = rest.partition("\n")[0]
    word = re.split(r"\s", line, maxsplit=1)[0]
    if postgres and (spaced := [m.start() for m in _AT_A_HOST.finditer(line)]):
        return max(spaced[-1], word.rfind("@"))
    if "@" in word:
        return word.rindex("@")
    if _PORTS.match(rest):
        return None
    if postgres and "@" in rest:
        across = [m.start() for m in _AT_A_HOST.finditer(rest)]
        return across[-1] if across else rest.index("@")
    return len(word)


def _hidden_keyword(match: re.Match[str]) -> str:
    value = match["value"]
    if match["after"] and not match["before"] and re.match(r"\w+\s*=", value):
        return f"{match['head']}{HIDDEN}{match['after']}{value}"
    return f"{match['head']}{HIDDEN}"
