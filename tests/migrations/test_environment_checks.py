"""What can be wrong with an environment: every fault that is planted is found, and nothing else."""

from pathlib import Path

import pytest

from app.migrations import environment_checks as checks
from app.migrations import findings
from app.migrations.environment_checks import File, Rights

ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "envs/prod.env").read_text()
PATH = "envs/prod.env"
RIGHTS = Rights(180004, "app", "massacorp", "public", may_use=True, may_create=True, foreign=())


def found(text: str, path: str = PATH) -> list[tuple[int, str]]:
    """Line and rule of each finding about one tracked file, alone and as an environment."""
    file = File(path, text, tracked=True)
    name = path.removeprefix("envs/").removesuffix(".env").removesuffix(".local")
    _, values = checks.check_values(name, {PATH: GOOD, path: text}, {})
    return [(one.line, one.rule) for one in (*checks.check_file(file), *checks.check_secrets(file), *values)]


def line_of(key: str) -> int:
    return next(n for n, line in enumerate(GOOD.splitlines(), 1) if line.startswith(f"{key}="))


def with_value(key: str, value: str) -> str:
    return GOOD.replace(GOOD.splitlines()[line_of(key) - 1], f"{key}={value}")


@pytest.mark.parametrize("name", ["dev", "test", "docker", "staging", "prod"])
def test_the_files_of_this_repository_are_well_formed(name: str) -> None:
    text = (ROOT / f"envs/{name}.env").read_text()
    file = File(f"envs/{name}.env", text, tracked=True)
    assert [*checks.check_file(file), *checks.check_secrets(file)] == []
    environment, faults = checks.check_values(name, {file.path: text}, {})
    assert faults == []
    assert environment is not None


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        with_value("DATABASE_URL", "postgresql://me@db.example/app"),
        with_value("DATABASE_URL", "postgresql://me@db.example/app?passfile=/home/me/.pgpass&sslmode=require"),
        with_value("DATABASE_URL", "postgresql://me:@db.example/app"),
        "# postgresql://USER:PASSWORD@HOST/NAME, or postgresql://me:***@host/db\n" + GOOD,
    ],
    ids=["Windows line ends", "no password", "a password file", "an empty password", "an example in a comment"],
)
def test_what_is_no_fault_is_not_found(text: str) -> None:
    assert found(text) == []


FAULTS = {
    "a key that is missing": (GOOD.replace("LOCK_TIMEOUT=250ms\n", ""), [(0, "missing-key")]),
    "a key in another place": (
        GOOD.replace("BACKUP_KEEP=10", "X").replace("BACKUP_JOBS=0", "BACKUP_KEEP=10").replace("X", "BACKUP_JOBS=0"),
        [(line_of("BACKUP_KEEP"), "key-order")],
    ),
    "an unknown key": (GOOD + "\n# one more\nPROTECT=true\n", [(GOOD.count("\n") + 3, "syntax")]),
    "a key twice": (GOOD + "# again\nBACKUP=never\n", [(GOOD.count("\n") + 2, "syntax")]),
    "two lines at fault": (
        GOOD + "export A=1\nwhat is this\n",
        [(GOOD.count("\n") + 1, "syntax"), (GOOD.count("\n") + 2, "syntax")],
    ),
    "a value that is none": (with_value("BACKUP", "sometimes"), [(line_of("BACKUP"), "value")]),
    "two values that are none": (
        with_value("BACKUP", "sometimes").replace("BACKUP_KEEP=10", "BACKUP_KEEP=0"),
        [(line_of("BACKUP"), "value"), (line_of("BACKUP_KEEP"), "value")],
    ),
    "a URL that is none": (with_value("DATABASE_URL", "db.example/app"), [(line_of("DATABASE_URL"), "value")]),
    "a URL of another product": (with_value("DATABASE_URL", "mysql://h/app"), [(line_of("DATABASE_URL"), "value")]),
    "a password in the URL": (
        with_value("DATABASE_URL", "postgresql://me:s3cret-w0rd@h/app"),
        [(line_of("DATABASE_URL"), "secret-in-tracked-file")],
    ),
    "a short password": (
        with_value("DATABASE_URL", "postgresql://me:a@h/app"),
        [(line_of("DATABASE_URL"), "secret-in-tracked-file")],
    ),
    "a password in the query": (
        with_value("DATABASE_URL", "postgresql://me@h/app?password=s3cret"),
        [(line_of("DATABASE_URL"), "secret-in-tracked-file")],
    ),
    "the password of a key file": (
        with_value("DATABASE_URL", "postgresql://me@h/app?sslpassword=s3cret"),
        [(line_of("DATABASE_URL"), "secret-in-tracked-file")],
    ),
    "a password of the scratch server": (
        with_value("SCRATCH_URL", "postgresql://me:s3cret@h/postgres"),
        [(line_of("SCRATCH_URL"), "secret-in-tracked-file")],
    ),
    "a password in a comment": (
        "# host=h password=s3cret\n# was postgresql://me:s3cret@h/app\n" + GOOD,
        [(1, "secret-in-tracked-file"), (2, "secret-in-tracked-file")],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_finds(name: str) -> None:
    text, expected = FAULTS[name]
    assert found(text) == expected


def test_finds_a_key_without_a_comment() -> None:
    number = line_of("PROTECTED")
    lines = GOOD.splitlines()
    lines[number - 2] = ""
    assert found("\n".join(lines)) == [(number, "no-comment")]


def test_finds_a_local_file_that_git_tracks() -> None:
    assert found("BACKUP_JOBS=2\n", "envs/prod.local.env") == [(0, "tracked-local-file")]


def test_a_local_file_that_git_ignores_may_hold_secrets_and_few_keys() -> None:
    file = File("envs/prod.local.env", "DATABASE_URL=postgresql://me:s3cret@h/app\n", tracked=False)
    assert [*checks.check_file(file), *checks.check_secrets(file)] == []


def test_finds_a_local_file_that_disarms() -> None:
    _, faults = checks.check_values("prod", {PATH: GOOD, "envs/prod.local.env": "PROTECTED=false\n"}, {})
    assert [(one.path, one.line, one.rule) for one in faults] == [("envs/prod.local.env", 1, "conflict")]


def test_finds_an_exported_url_of_another_database() -> None:
    texts = {PATH: with_value("DATABASE_URL", "postgresql://h/app")}
    _, faults = checks.check_values("prod", texts, {"DATABASE_URL": "postgresql://me:s3cret@h/other"})
    (fault,) = faults
    assert fault.rule == "conflict"
    assert "s3cret" not in str(fault)
    assert "unset DATABASE_URL" in fault.instead


def test_a_finding_says_where_what_follows_and_what_to_do() -> None:
    file = File(PATH, with_value("DATABASE_URL", "postgresql://me:s3cret@h/app"), tracked=True)
    (fault,) = checks.check_secrets(file)
    assert findings.text(fault) == (
        f"envs/prod.env:{line_of('DATABASE_URL')}: secret-in-tracked-file\n"
        "  this line holds a password and git tracks the file: everybody with the repository can read it\n"
        "  next: move it to envs/prod.local.env, which git ignores, and change the password"
    )


def test_all_the_rights_are_no_finding() -> None:
    assert checks.check_rights("prod", RIGHTS) == []
    assert checks.check_rights("prod", RIGHTS._replace(version=140000)) == []


@pytest.mark.parametrize(
    ("rights", "rule", "said"),
    [
        (RIGHTS._replace(version=130022), "old-server", "PostgreSQL 13.22; supported: 14"),
        (RIGHTS._replace(schema=None), "no-schema", "search_path"),
        (RIGHTS._replace(may_create=False), "missing-right", "lacks CREATE on schema public"),
        (RIGHTS._replace(may_use=False, may_create=False), "missing-right", "lacks USAGE, CREATE on schema public"),
        (RIGHTS._replace(foreign=(("users", "postgres"),)), "not-the-owner", 'users: owned by "postgres"'),
    ],
    ids=["an old server", "no schema", "no CREATE", "no USAGE either", "tables of somebody else"],
)
def test_finds_a_right_that_is_missing(rights: Rights, rule: str, said: str) -> None:
    (fault,) = checks.check_rights("prod", rights)
    assert (fault.path, fault.rule) == (PATH, rule)
    assert said in fault.message
    assert fault.instead


def test_many_tables_of_one_owner_are_one_finding() -> None:
    foreign = tuple((f"t{n}", "boss") for n in range(9))
    (fault,) = checks.check_rights("prod", RIGHTS._replace(foreign=foreign))
    assert fault.message.startswith('t0, t1, t2 and 6 more: owned by "boss"')
