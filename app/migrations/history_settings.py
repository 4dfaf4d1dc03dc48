"""Where a history lies: reads the settings that Alembic reads, as it reads them. Never imports a package to find it.

These are the section of alembic.ini and `[tool.alembic]` of pyproject.toml, the former first, key by key. The
variable ALEMBIC_CONFIG is not looked at: who calls names the files.
"""
# ruff: noqa: PTH112, PTH113, PTH117, PTH118, PTH119, PTH120, PTH123 -- pathlib is slower to load than to do without

from __future__ import annotations

import os

from app.migrations import plain_ini
from app.migrations.headers import is_revision_file
from app.migrations.lean import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from configparser import ConfigParser

    from app.migrations.errors import ConfigurationError

SEPARATORS = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
TOML = "pyproject.toml"
ANOTHER_WAY = "correct it, or name the folders of revisions themselves: --versions DIR"


class Locations(NamedTuple):
    """The folders of a history, absolute and in Alembic's order; `root` is what paths are shown from.

    `named_by_id` says whether the names of new files hold their ids; None where nothing does.
    """

    root: str
    folders: tuple[str, ...]
    recursive: bool = False
    sourceless: bool = False
    named_by_id: bool | None = None

    def hold(self, path: str) -> bool:
        """Tell whether Alembic would load a file of this path, absolute or from the root, if it were there."""
        folder, name = os.path.split(os.path.normpath(os.path.join(self.root, path)))
        if not is_revision_file(name) or folder.endswith("__pycache__"):
            return False
        within = (each + os.sep for each in self.folders) if self.recursive else ()
        return folder in self.folders or any(folder.startswith(each) for each in within)

    def shown(self, path: str) -> str:
        """Return a path as it is shown: from the root where it lies below it, with slashes."""
        below = path.startswith(self.root + os.sep)
        return (path[len(self.root) + 1 :] if below else path).replace(os.sep, "/")


def given(root: str, versions: Sequence[str]) -> Locations:
    """Return folders that somebody named, relative to `root`; raises ConfigurationError for one that is not there."""
    root = os.path.realpath(root)
    folders = tuple(os.path.normpath(os.path.join(root, folder)) for folder in versions)
    for folder, name in zip(folders, versions, strict=True):
        if not os.path.isdir(folder):
            raise _wrong(
                f"{name}: there is no such folder of revisions; nothing was checked", "name a folder that exists"
            )
    return Locations(root, folders)


def locate(root: str = ".", config: Sequence[str] = (), section: str = "alembic") -> Locations:
    """Return the folders that the settings of the project in `root` name; relative paths count from there.

    `config` names an ini file, a pyproject.toml or both; what it does not name is looked for in `root`. Raises
    ConfigurationError for settings that Alembic would not work with.
    """
    root = os.path.realpath(root)
    settings = _Settings(root, config, section)
    script = settings.script_location()
    places = settings.version_locations() or [os.path.join(settings.folder(script), "versions")]
    folders = (settings.folder(place) for place in places)
    return Locations(
        root,
        tuple(dict.fromkeys(os.path.normpath(os.path.join(root, folder)) for folder in folders)),
        settings.flag("recursive_version_locations"),
        settings.flag("sourceless"),
        "%(rev)s" in (settings.text("file_template") or "%(rev)s"),
    )


def script_folder(root: str = ".", config: Sequence[str] = (), section: str = "alembic") -> str:
    """Return the folder that holds env.py, absolute; what is given and raised is as for `locate`."""
    root = os.path.realpath(root)
    settings = _Settings(root, config, section)
    return os.path.normpath(settings.folder(settings.script_location()))


class _Settings:
    """Both files; `names` is how a message calls them."""

    def __init__(self, root: str, config: Sequence[str], section: str) -> None:
        self.root, self.section = root, section
        for name in config:
            if not os.path.isfile(os.path.join(root, name)):
                raise _wrong(f"{name}: there is no such file of settings")
        toml = next((name for name in config if os.path.basename(name) == TOML), TOML)
        ini = next((name for name in config if os.path.basename(name) != TOML), "alembic.ini")
        self.names = f"[{section}] of {ini} and [tool.alembic] of {toml}"
        self.ini, self.ini_name = os.path.join(root, ini), ini
        self.plain = plain_ini.section(_content(self.ini) or b"", section)
        self.parser: ConfigParser | None = None
        self.here = {"here": os.path.dirname(os.path.join(root, toml))}
        self.toml = _read_toml(os.path.join(root, toml), toml)

    def text(self, key: str) -> str | None:
        """Return a setting that is one text."""
        written = self._of_ini(key)
        value = self.toml.get(key) if written is None else None
        if value is not None and not isinstance(value, str):
            raise _wrong(f"{key} in {TOML} is {value!r}, not a text")
        return written if value is None else self._filled(value)

    def script_location(self) -> str:
        """Return the setting that has to be there."""
        script = self.text("script_location")
        if script is None:
            raise _wrong(f"{self.names} do not say where the history is: there is no script_location")
        return script

    def flag(self, key: str) -> bool:
        """Return a setting that is yes or no; in the ini file yes is written `true`, exactly so."""
        written = self._of_ini(key)
        value = self.toml.get(key, False) if written is None else written == "true"
        if not isinstance(value, bool):
            raise _wrong(f"{key} in {TOML} is {value!r}, not true or false")
        return value

    def version_locations(self) -> list[str]:
        """Return the folders of revisions that are named one by one."""
        return self._paths("version_locations", ("path_separator", "version_path_separator"), r", *|(?: +)")

    def folder(self, place: str) -> str:
        """Return the folder that a path names, or a `package:folder`, which is looked for where Python would."""
        if os.path.isabs(place) or ":" not in place:
            return os.path.join(self.root, place)
        package, *inside = place.split(":")
        for top in [*self._paths("prepend_sys_path", ("path_separator",), r", *|(?: +)|\:"), ""]:
            folder = os.path.join(self.root, top, *package.split("."))
            if os.path.isdir(folder):
                return os.path.join(folder, *inside)
        raise _wrong(f"{place}: the package {package} is not in the project, and it is not imported to find it")

    def _paths(self, key: str, separators: Sequence[str], legacy: str) -> list[str]:
        written = self._of_ini(key)
        if not written:
            value = self.toml.get(key, [])
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                raise _wrong(f"{key} in {TOML} is {value!r}, not a list of texts")
            return [self._filled(each) for each in value]
        name = next((name for name in separators if self._of_ini(name) is not None), None)
        if name is None:
            from re import split  # noqa: PLC0415 -- nearly every project names the separator, or no folders

            return split(legacy, written)
        separator = SEPARATORS.get(self._of_ini(name) or "")
        if separator is None:
            raise _wrong(f"{name} is {self._of_ini(name)!r}; accepted: {', '.join(SEPARATORS)}")
        return [each.strip() for each in written.split(separator) if each]

    def _of_ini(self, key: str) -> str | None:
        if self.plain is not None:
            written = self.plain.get(key)
            value = None if written is None else plain_ini.filled(written, _here(self.ini))
            if written is None or value is not None:
                return value
        from configparser import Error  # noqa: PLC0415 -- takes longer to load than a small history to check

        self.parser = self.parser or _read_ini(self.ini, self.ini_name)
        try:
            return self.parser.get(self.section, key, fallback=None)
        except Error as error:
            raise _wrong(f"{key} in [{self.section}] cannot be read: {_first_line(error)}") from error

    def _filled(self, value: str) -> str:
        try:
            return value % self.here
        except (KeyError, TypeError, ValueError):
            raise _wrong(f"{value!r} in {TOML}: only %(here)s can stand behind a %; a plain % is written %%") from None


def _read_ini(path: str, name: str) -> ConfigParser:
    """Read as Alembic does; a file that is not there is empty."""
    from configparser import ConfigParser, Error  # noqa: PLC0415 -- see _of_ini

    parser = ConfigParser({"here": _here(path)})
    try:
        parser.read(path, encoding="locale")
    except (Error, UnicodeDecodeError) as error:
        raise _wrong(f"{name} cannot be read: {_first_line(error)}") from error
    return parser


def _here(path: str) -> str:
    return os.path.dirname(path).replace(os.sep, "/")


def _content(path: str) -> bytes | None:
    """Return what is in a file of settings; None where there is none that can be read, as for configparser."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return None


def _may_have_table(data: bytes) -> bool:
    """Tell whether tool.alembic may stand here, as a table or a key: tomllib takes 20 ms to load."""
    for line in data.split(b"\n") if b"alembic" in data else ():
        _, *rests = line.split(b"alembic")
        if rests and line.lstrip()[:1] == b"[":
            return True
        for rest in rests:
            after = rest.removeprefix(b'"').removeprefix(b"'").lstrip(b" \t\r")
            if after[:1] == b"." or (after[:1] == b"=" and after[:2] != b"=="):
                return True
    return False


def _read_toml(path: str, name: str) -> Mapping[str, object]:
    """Return [tool.alembic]; tomllib is loaded only for a file that may have it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return {}
    if not _may_have_table(data):
        return {}
    from tomllib import TOMLDecodeError, loads  # noqa: PLC0415 -- see above

    try:
        found = loads(data.decode()).get("tool", {}).get("alembic", {})
    except (TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise _wrong(f"{name} cannot be read: {_first_line(error)}") from error
    if not isinstance(found, dict):
        raise _wrong(f"tool.alembic in {name} is no table")
    return found


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _wrong(message: str, hint: str = ANOTHER_WAY) -> ConfigurationError:
    from app.migrations.errors import ConfigurationError  # noqa: PLC0415 -- its patterns are not free, and rarely used

    return ConfigurationError(message, hint)
