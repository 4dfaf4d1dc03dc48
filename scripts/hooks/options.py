"""The command line of the checks: what was asked for, in place of argparse, which takes longer than a small check."""

from __future__ import annotations

from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Options(NamedTuple):
    """What stands on a command line: its files, and what each option was given."""

    files: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    format: str = "text"
    staged: bool = False
    help: bool = False


SEVERAL, FLAGS = ("config", "versions"), ("staged", "help")


def parse(arguments: Sequence[str], known: Sequence[str], files: bool = False) -> Options:
    """Return the options, of which `known` exist; `files` says whether anything may stand beside them.

    `--versions` takes all that follows up to the next option. Raises ConfigurationError for what is not known.
    """
    given: dict[str, list[str]] = {}
    loose: list[str] = []
    current = ""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            loose += rest
            break
        if word.startswith("--") or word == "-h":
            current, equals, value = ("help", "", "") if word == "-h" else word[2:].partition("=")
            if current not in (*known, "help") or (equals and current in FLAGS):
                raise _wrong(f"{word} is no option; there are: {', '.join(f'--{name}' for name in known)}")
            given.setdefault(current, []).extend([value] if equals else [])
            if current not in FLAGS and not equals:
                if not rest or rest[0].startswith("--"):
                    raise _wrong(f"--{current} needs a value")
                given[current].append(rest.pop(0))
        elif current == "versions":
            given[current].append(word)
        else:
            loose.append(word)
    if loose and not files:
        raise _wrong(f"{loose[0]}: this takes no files; folders of revisions are named by --versions")
    return _options(given, loose)


def _options(given: Mapping[str, Sequence[str]], files: Sequence[str]) -> Options:
    form = given.get("format", ["text"])[-1]
    if form != "text":
        from app.migrations.findings import FORMATS  # noqa: PLC0415 -- a hook is started without, and may have none

        if form not in FORMATS:
            raise _wrong(f"--format={form} is none of {', '.join(FORMATS)}")
    config, versions = (tuple(given.get(name, ())) for name in SEVERAL)
    return Options(tuple(files), config, versions, form, "staged" in given, "help" in given)


def _wrong(message: str) -> Exception:
    from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free, and rarely used

    return ConfigurationError(f"{message}; nothing was checked", "the same command with --help")
