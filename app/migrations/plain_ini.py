"""A section of an ini file that is written plainly, read as configparser would. Never guesses: the rest is for it.

configparser takes longer to load than a small history to check, and nearly every alembic.ini is plain: no line goes on
in the next one, nothing stands twice, and nothing is filled in but %(here)s.
"""

from __future__ import annotations

_KEY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


def section(data: bytes, name: str) -> dict[str, str] | None:
    """Return the settings of a section as they are written, by lower-case key; None for a file that is not plain."""
    text = data.replace(b"\r\n", b"\n").decode("ascii", "replace")
    if not text.replace("\n", "").replace("\t", "").isprintable() or "\ufffd" in text:
        return None
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in text.split("\n"):
        written = line.strip()
        if not written or written[0] in "#;":
            continue
        if line[0] in " \t":
            return None
        if written[0] == "[":
            title = written[1:-1]
            if written[-1] != "]" or not title or title.strip(_KEY) or title == "DEFAULT" or title in sections:
                return None
            current = sections[title] = {}
        elif current is None or not _add(current, written):
            return None
    return sections.get(name, {})


def _add(settings: dict[str, str], line: str) -> bool:
    """Add a line to the settings of its section; False where that cannot be done plainly."""
    ends = [place for place in (line.find("="), line.find(":")) if place >= 0]
    if not ends:
        return False
    key = line[: min(ends)].rstrip().lower()
    if not key or key.strip(_KEY) or key == "here" or key in settings:
        return False
    settings[key] = line[min(ends) + 1 :].strip()
    return True


def filled(value: str, here: str) -> str | None:
    """Return a value with %(here)s filled in and %% made one; None where another % stands in it."""
    pieces = [piece.replace("%(here)s", here) for piece in value.split("%%")]
    return None if "%" in here or any("%" in piece for piece in pieces) else "%".join(pieces)
