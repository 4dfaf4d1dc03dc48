"""The settings of any Alembic project as Alembic's own objects. Imports nothing of the project."""

import warnings
from collections.abc import Sequence
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL

from app.migrations import candidates, history_settings
from app.migrations.history_settings import TOML
from app.migrations.project_variables import in_place_of


class Settings(Config):
    """Alembic's configuration, which takes any URL that env.py writes into it."""

    def set_section_option(self, section: str, name: str, value: str) -> None:
        """Set an option, a bare % too: in its place stands the scratch database's URL, and there may be one in it."""
        try:
            super().set_section_option(section, name, str(value))
        except ValueError:
            super().set_section_option(section, name, str(value).replace("%", "%%"))

    def lead_to(self, url: URL) -> None:
        """Have sqlalchemy.url name the database at `url`, through the driver that is written there."""
        written = self.file_config.get(self.config_ini_section, "sqlalchemy.url", raw=True, fallback="")
        self.set_main_option("sqlalchemy.url", in_place_of(written, url).replace("%", "%%"))


def folder_of(root: Path, config: Path | None, section: str) -> tuple[Path, tuple[str, ...]]:
    """Return the folder that the relative paths of the settings count from, and the files that hold these.

    It is `root`, as Alembic's is the current folder; where there is no such history, that of the file.
    """
    root = root.resolve()
    if config is None:
        return root, ()
    file = (root / config).resolve()
    for folder in (root, file.parent):
        names = (str(file),)
        if Path(history_settings.script_folder(str(folder), names, section)).is_dir():
            return folder, names
    return root, (str(file),)


def settings(root: Path, files: Sequence[str], section: str) -> Settings:
    """Return Alembic's configuration; nothing in it depends on the current folder."""
    toml = next((root / name for name in files if Path(name).name == TOML), root / TOML)
    ini = next((root / name for name in files if Path(name).name != TOML), root / "alembic.ini")
    return Settings(
        str(ini) if ini.is_file() else None, toml_file=str(toml) if toml.is_file() else None, ini_section=section
    )


def script_directory(root: Path, files: Sequence[str], section: str) -> ScriptDirectory:
    """Return the script directory; its revisions are not loaded yet. Raises ConfigurationError where there is none."""
    locations = history_settings.locate(str(root), files, section)
    try:
        return ScriptDirectory(
            history_settings.script_folder(str(root), files, section),
            version_locations=list(locations.folders),
            sourceless=locations.sourceless,
            recursive_version_locations=locations.recursive,
        )
    except CommandError as error:
        raise candidates.broken_history(error, str(root)) from error


def prepended(config: Config) -> list[str]:
    """Return what the settings put in front of sys.path, as it is written."""
    with warnings.catch_warnings():  # of path_separator
        warnings.simplefilter("ignore")
        return list(config.get_prepend_sys_paths_list() or [])
