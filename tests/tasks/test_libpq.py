"""libpq's own ways to name a server and a password work as they do for psql, on both roads."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.clones import Clone


@pytest.fixture
def ways(clone: Clone, scram: str, tmp_path: Path) -> Clone:
    """The clone, with a service file that names the server and a password file that opens it."""
    url = make_url(scram.replace("{}", "right"))
    (tmp_path / "pg_service.conf").write_text(f"[mine]\nhost={url.query['host']}\nuser=me\ndbname=app\n")
    (tmp_path / "pgpass").write_text("*:*:*:me:right\n")
    (tmp_path / "pgpass").chmod(0o600)
    clone.environment |= {
        "APP_ENV": "docker",
        "PGSERVICEFILE": str(tmp_path / "pg_service.conf"),
        "PGPASSFILE": str(tmp_path / "pgpass"),
    }
    return clone


def reaches(clone: Clone, **variables: str) -> None:
    """Both roads answer from the database "app"; the journal's schema and the identity can be read there."""
    clone.environment |= variables
    assert "no revision applied" in clone.inv("db.status").out
    clone.alembic("current")


def test_a_service_in_the_url(ways: Clone) -> None:
    reaches(ways, DATABASE_URL="postgresql:///?service=mine")


def test_a_service_in_the_environment(ways: Clone) -> None:
    reaches(ways, DATABASE_URL="postgresql://", PGSERVICE="mine")


def test_a_password_file_and_sslmode(ways: Clone, scram: str) -> None:
    reaches(ways, DATABASE_URL=scram.replace(":{}", "") + "&sslmode=prefer")


def test_the_first_of_several_hosts_that_answers(ways: Clone, scram: str) -> None:
    folder = str(make_url(scram.replace("{}", "right")).query["host"]).replace("/", "%2F")
    reaches(ways, DATABASE_URL=f"postgresql://me@%2Fnowhere,{folder}/app")
