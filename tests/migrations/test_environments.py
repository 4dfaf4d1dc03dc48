from datetime import timedelta
from pathlib import Path

import pytest

from app.migrations.environments import (
    KEYS,
    Backup,
    Choice,
    Environment,
    build,
    choose,
    detached,
    for_alembic,
    for_tasks,
    load,
    names,
    parse,
    redacted,
)
from app.migrations.errors import ConfigurationError, MigrationError, Refused

OWN = "postgresql://app:s3cret@prod.example/massacorp"


def built(
    shared: str, local: str | None = None, process: dict[str, str] | None = None, name: str = "prod"
) -> Environment:
    files = parse(shared, f"envs/{name}.env"), None if local is None else parse(local, f"envs/{name}.local.env")
    return build(name, *files, process or {})


def folder(root: Path, **files: str) -> Path:
    (root / "envs").mkdir()
    for name, text in files.items():
        (root / "envs" / f"{name.replace('__', '.')}.env").write_text(text)
    return root


def test_a_file_with_the_database_alone_has_the_defaults() -> None:
    assert built("DATABASE_URL=embedded:///x\n", name="dev") == Environment(
        name="dev",
        database_url="embedded:///x",
        protected=False,
        backup=Backup.NEVER,
        backup_dir="backups",
        backup_keep=10,
        backup_jobs=0,
        scratch_url="embedded",
        lock_timeout=timedelta(milliseconds=250),
        lock_retry_for=timedelta(minutes=10),
        upgrade_wait=timedelta(minutes=10),
        statement_timeout=timedelta(0),
        pg_bin="",
    )


def test_the_local_file_goes_over_the_shared_one_and_an_empty_value_of_it_does_not() -> None:
    environment = built(
        "DATABASE_URL=\nBACKUP_KEEP=3\nPG_BIN=/a\nUPGRADE_WAIT=1s\n", f"DATABASE_URL={OWN}\nBACKUP_KEEP=\nPG_BIN=/b\n"
    )
    assert environment.database_url == "postgresql+psycopg2://app:s3cret@prod.example/massacorp"
    assert (environment.backup_keep, environment.pg_bin) == (3, "/b")
    assert environment.upgrade_wait == timedelta(seconds=1)


def test_the_process_environment_overrides_what_belongs_to_the_machine() -> None:
    exported = {
        "BACKUP_DIR": "/b", "BACKUP_JOBS": "2", "PG_BIN": "/p", "SCRATCH_URL": "postgres://s/x", "LOCK_TIMEOUT": "1s",
        "LOCK_RETRY_FOR": "2s", "UPGRADE_WAIT": "3s", "STATEMENT_TIMEOUT": "4s", "BACKUP_KEEP": "1", "PROTECTED": "",
    }  # fmt: skip
    environment = built("DATABASE_URL=embedded:///x\n", process=exported)
    assert (environment.backup_dir, environment.backup_jobs, environment.pg_bin) == ("/b", 2, "/p")
    assert environment.scratch_url == "postgresql+psycopg2://s/x"
    assert [t.total_seconds() for t in (environment.lock_timeout, environment.lock_retry_for)] == [1, 2]
    assert [t.total_seconds() for t in (environment.upgrade_wait, environment.statement_timeout)] == [3, 4]
    assert environment.backup_keep == 10, "a forgotten export must not delete backups"


@pytest.mark.parametrize(
    ("keys", "scratch_url"),
    [
        ("", "embedded"),
        ("PROTECTED=true\n", None),
        ("PROTECTED=true\nSCRATCH_URL=\n", None),
        ("PROTECTED=true\nSCRATCH_URL=embedded\n", "embedded"),
        ("SCRATCH_URL=none\n", None),
    ],
)
def test_scratch_databases_are_embedded_and_nowhere_when_protected(keys: str, scratch_url: str | None) -> None:
    assert built(f"DATABASE_URL=embedded:///x\n{keys}").scratch_url == scratch_url


class TestDatabaseURL:
    def test_an_exported_one_names_the_database_where_the_files_do_not(self) -> None:
        assert built("DATABASE_URL=\n", process={"DATABASE_URL": OWN}).database_url.endswith("prod.example/massacorp")

    def test_an_exported_one_for_the_same_database_brings_its_password(self) -> None:
        exported = "postgres://app:rotated@PROD.example:5432/massacorp"
        assert "rotated" in built(f"DATABASE_URL={OWN}\n", process={"DATABASE_URL": exported}).database_url

    def test_an_empty_one_counts_as_not_set(self) -> None:
        assert "s3cret" in built(f"DATABASE_URL={OWN}\n", process={"DATABASE_URL": ""}).database_url

    def test_an_exported_one_for_another_database_is_refused(self) -> None:
        with pytest.raises(Refused) as caught:
            built(f"PROTECTED=true\nDATABASE_URL={OWN}\n", process={"DATABASE_URL": "postgresql://me:pw@laptop/x"})
        assert str(caught.value) == (
            'error: prod is database "massacorp" on prod.example:5432 as user "app" (envs/prod.env:2), but the '
            'exported DATABASE_URL is database "x" on laptop:5432 as user "me"; nothing was changed\n'
            "  next: `unset DATABASE_URL` to work on prod, or choose with --env the environment that is meant"
        )

    def test_one_in_the_local_file_is_compared_too(self) -> None:
        with pytest.raises(Refused, match=r"envs/prod\.local\.env:1"):
            built("DATABASE_URL=\n", f"DATABASE_URL={OWN}\n", {"DATABASE_URL": "postgresql://laptop/x"})

    def test_none_at_all_is_an_error_unless_nothing_will_connect(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            built("DATABASE_URL=\n")
        assert str(caught.value) == (
            "error: nothing names the database of prod: DATABASE_URL is empty in its files and not exported\n"
            "  next: export DATABASE_URL=postgresql://USER@HOST:5432/DATABASE"
        )
        assert build("prod", parse("DATABASE_URL=\n", "f"), None, {}, need_url=False).database_url == ""

    def test_a_wrong_one_names_where_it_is_written_and_shows_no_secret(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            built("\nDATABASE_URL=mysql://app:s3cret@db/x\n")
        assert str(caught.value) == (
            "error: envs/prod.env:2: DATABASE_URL has the scheme mysql://; accepted: postgresql://, postgres://, "
            "postgresql+psycopg2://, embedded://\n  next: edit envs/prod.env line 2"
        )


class TestProtection:
    @pytest.mark.parametrize("exported", [{"PROTECTED": "TRUE", "BACKUP": "always"}, {"PROTECTED": "1"}])
    def test_an_export_that_says_the_same_is_let_pass(self, exported: dict[str, str]) -> None:
        assert built("DATABASE_URL=embedded:///x\nPROTECTED=true\nBACKUP=always\n", process=exported).protected

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("PROTECTED", "false", "PROTECTED is exported as false, but the files say true; only they decide it"),
            ("PROTECTED", "maybe", "PROTECTED is exported as maybe, but the files say true; only they decide it"),
            ("BACKUP", "never", "BACKUP is exported as never, but the files say always; only they decide it"),
            ("BACKUP", "proven", "BACKUP is exported as proven, but the files say always; only they decide it"),
        ],
    )
    def test_an_export_that_differs_is_refused(self, key: str, value: str, message: str) -> None:
        with pytest.raises(Refused) as caught:
            built("DATABASE_URL=embedded:///x\nPROTECTED=true\nBACKUP=always\n", process={key: value})
        assert (caught.value.message, caught.value.hint) == (message, f"unset {key}")

    def test_a_local_file_may_be_stricter(self) -> None:
        environment = built("DATABASE_URL=embedded:///x\nBACKUP=always\n", "PROTECTED=true\nBACKUP=proven\n")
        assert (environment.protected, environment.backup) == (True, Backup.PROVEN)

    @pytest.mark.parametrize(
        ("key", "value", "shared"), [("PROTECTED", "false", "true"), ("BACKUP", "never", "always")]
    )
    def test_a_local_file_must_not_disarm(self, key: str, value: str, shared: str) -> None:
        with pytest.raises(Refused) as caught:
            built("DATABASE_URL=embedded:///x\nPROTECTED=true\nBACKUP=always\n", f"{key}={value}\n")
        assert caught.value.message == (
            f"envs/prod.local.env:1: {key} is {value}, but the shared file says {shared}; "
            "a local file may only be stricter"
        )

    @pytest.mark.parametrize("key", ["PROTECTED", "BACKUP"])
    def test_an_empty_value_in_the_shared_file_is_no_answer(self, key: str) -> None:
        with pytest.raises(ConfigurationError, match=f'envs/prod.env:2: {key} is ""; accepted: '):
            built(f"DATABASE_URL=embedded:///x\n{key}=\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("BACKUP=sometimes", 'BACKUP is "sometimes"; accepted: never, always, proven'),
        ("PROTECTED=maybe", 'PROTECTED is "maybe"; accepted: true, false'),
        ("BACKUP_KEEP=0", 'BACKUP_KEEP is "0"; accepted: a whole number from 1 to 999999'),
        ("BACKUP_JOBS=-1", 'BACKUP_JOBS is "-1"; accepted: a whole number from 0 to 999999'),
        ("BACKUP_JOBS=٣", 'BACKUP_JOBS is "٣"; accepted: a whole number from 0 to 999999'),
        ("LOCK_TIMEOUT=0", 'LOCK_TIMEOUT is "0", which waits without end; accepted: a number with one of the units '
         "us, ms, s, min, h, d, such as 250ms or 10min"),
        ("UPGRADE_WAIT=10", 'UPGRADE_WAIT is "10"; accepted: 0, or a number with one of the units us, ms, s, min, '
         "h, d, such as 250ms or 10min"),
        ("SCRATCH_URL=embedded:///y", "SCRATCH_URL names a database; accepted: embedded, none, "
         "postgresql://USER@HOST:5432/DATABASE"),
        ("SCRATCH_URL=server", "SCRATCH_URL has no scheme; accepted: postgresql://USER@HOST:5432/DATABASE, "
         "embedded:///NAME"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_file_line_key_and_what_is_accepted(line: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        built(f"DATABASE_URL=embedded:///x\n{line}\n")
    assert str(caught.value) == f"error: envs/prod.env:2: {message}\n  next: edit envs/prod.env line 2"


def test_a_wrong_exported_value_says_that_it_is_exported() -> None:
    with pytest.raises(ConfigurationError) as caught:
        built("DATABASE_URL=embedded:///x\n", process={"BACKUP_JOBS": "many"})
    assert caught.value.message == 'the exported BACKUP_JOBS is "many"; accepted: a whole number from 0 to 999999'
    assert caught.value.hint == "unset BACKUP_JOBS"


def test_a_shared_file_without_the_database_is_refused_even_when_it_is_exported() -> None:
    with pytest.raises(ConfigurationError, match=r"envs/prod\.env has no DATABASE_URL"):
        built("PROTECTED=true\n", process={"DATABASE_URL": OWN})


def test_a_database_named_by_its_url_alone_has_the_defaults() -> None:
    environment = detached("postgres://db/x", {"UPGRADE_WAIT": "5s"})
    assert environment == Environment("", "postgresql+psycopg2://db/x", upgrade_wait=timedelta(seconds=5))
    with pytest.raises(Refused, match="PROTECTED is exported as true"):
        detached("postgres://db/x", {"PROTECTED": "true"})


@pytest.mark.parametrize(
    ("given", "app_env", "url", "choice"),
    [
        (None, None, None, Choice("dev", None)),
        ("", "", "", Choice("dev", None)),
        ("prod", None, OWN, Choice("prod", None)),
        (None, "prod", OWN, Choice("prod", None)),
        ("prod", "prod", None, Choice("prod", None)),
        (None, None, OWN, Choice(None, OWN)),
    ],
)
def test_chooses(given: str | None, app_env: str | None, url: str | None, choice: Choice) -> None:
    assert choose(given, app_env, url) == choice


def test_two_different_names_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        choose("prod", "dev", None)
    assert str(caught.value) == (
        "error: two environments are named: prod on the command line, dev in APP_ENV; nothing was changed\n"
        "  next: unset APP_ENV"
    )


def test_a_forgotten_export_is_followed_by_plain_alembic_and_refused_by_a_task(tmp_path: Path) -> None:
    root = folder(tmp_path, dev="DATABASE_URL=embedded:///x\n")
    assert for_alembic(root, None, {"DATABASE_URL": OWN}).name == ""
    assert for_alembic(root, None, {}) == for_tasks(root, None, {})
    with pytest.raises(Refused):
        for_tasks(root, None, {"DATABASE_URL": OWN})
    with pytest.raises(Refused):
        for_alembic(root, "dev", {"DATABASE_URL": OWN})


def test_the_local_file_of_dev_is_the_root_one_and_of_others_beside_the_shared_one(tmp_path: Path) -> None:
    root = folder(tmp_path, dev="DATABASE_URL=\n", prod="DATABASE_URL=\n", prod__local="DATABASE_URL=embedded:///p\n")
    (root / ".env").write_text("DATABASE_URL=embedded:///d\nBACKUP_DIR=mine\n")
    assert load(root, "dev", {}).database_url == "embedded:///d"
    assert load(root, "dev", {}).backup_dir == str(root / "mine")
    assert load(root, "prod", {}).database_url == "embedded:///p"
    assert load(root, "prod", {"BACKUP_DIR": "/elsewhere"}).backup_dir == "/elsewhere"


def test_the_folder_of_backups_may_begin_at_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    root = folder(tmp_path, prod="DATABASE_URL=\n")
    assert load(root, "prod", {"BACKUP_DIR": "~/backups"}, need_url=False).backup_dir == "/home/me/backups"


def test_lists_the_usual_environments_first_and_no_local_files(tmp_path: Path) -> None:
    root = folder(tmp_path, zoo="", prod="", dev="", prod__local="", qa="")
    assert names(root) == ["dev", "prod", "qa", "zoo"]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("prd", 'there is no environment "prd", perhaps prod; accepted: dev, prod', "--env=prod"),
        ("../envs/dev", 'there is no environment "../envs/dev"', "inv env.list"),
        ("dev.local", 'there is no environment "dev.local"', ""),
        ("", 'there is no environment ""; accepted: dev, prod', "inv env.list"),
        ("a\nb", 'there is no environment "a\\nb"; accepted: dev, prod', "inv env.list"),
    ],
)
def test_an_unknown_name_lists_the_known_ones(tmp_path: Path, name: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(folder(tmp_path, dev="", prod=""), name, {})
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    root = folder(tmp_path, dev="")
    (root / "envs/dev.env").write_bytes(b"DATABASE_URL=\nBACKUP_DIR=\xe9\n")
    with pytest.raises(ConfigurationError, match=r"envs/dev\.env:2: byte 0xe9 is not UTF-8"):
        load(root, "dev", {})


def test_a_file_that_is_a_folder_is_a_readable_error(tmp_path: Path) -> None:
    root = folder(tmp_path, dev="DATABASE_URL=\n")
    (root / ".env").mkdir()
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read: Is a directory"):
        load(root, "dev", {})


def test_what_is_shown_reads_back_as_the_environment_without_its_secrets() -> None:
    environment = built(f"DATABASE_URL={OWN}\nSCRATCH_URL=postgresql://s:s3cret@s/s\nLOCK_TIMEOUT=1.5s\n")
    shown = redacted(environment)
    assert tuple(shown) == KEYS
    assert "s3cret" not in str(shown)
    again = built("".join(f"{key}={value}\n" for key, value in shown.items()))
    assert again.lock_timeout == environment.lock_timeout == timedelta(seconds=1.5)
    kept = [key for key in KEYS if not key.endswith("_URL")]
    assert [redacted(again)[key] for key in kept] == [shown[key] for key in kept]


def test_errors_of_environments_leave_with_code_2() -> None:
    with pytest.raises(MigrationError) as caught:
        detached("", {})
    assert caught.value.exit_code == 2
