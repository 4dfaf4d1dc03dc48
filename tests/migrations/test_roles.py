import secrets
from contextlib import closing
from functools import partial

import pytest
from psycopg2.extensions import connection as RawConnection  # noqa: N812 -- the class has a lower-case name
from sqlalchemy.engine import make_url

from app.migrations import roles, scratch
from app.migrations.errors import ConfigurationError
from app.migrations.quoting import quoted
from tests.migrations.chains import ask


@pytest.fixture
def name() -> str:
    """A role that no other test has, with what is hard to quote in its name."""
    return f'Ægir "x" {secrets.token_hex(4)}'


def there(admin: str, name: str) -> list[tuple[object, ...]]:
    with closing(scratch.connect(admin)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (name,))
        return list(cursor.fetchall())


def execute(connection: RawConnection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_missing_role_is_there_without_login_while_the_block_runs(scratch_admin: str, name: str) -> None:
    with roles.standing_in(partial(scratch.connect, scratch_admin), [name]) as made:
        assert made == [name]
        assert there(scratch_admin, name) == [(False,)]
    assert there(scratch_admin, name) == []


def test_a_role_that_was_there_stays_as_it_was(scratch_admin: str, name: str) -> None:
    with closing(scratch.connect(scratch_admin)) as connection:
        execute(connection, f"CREATE ROLE {quoted(name)} LOGIN")
        with roles.standing_in(partial(scratch.connect, scratch_admin), [name]) as made:
            assert made == []
        assert there(scratch_admin, name) == [(True,)]
        execute(connection, f"DROP ROLE {quoted(name)}")


def test_the_first_of_two_to_end_leaves_the_role_to_the_other(scratch_admin: str, name: str) -> None:
    connect = partial(scratch.connect, scratch_admin)
    with roles.standing_in(connect, [name]):
        with roles.standing_in(connect, [name]):
            pass
        assert there(scratch_admin, name) == [(False,)]
    assert there(scratch_admin, name) == []


def test_the_next_one_drops_what_a_killed_process_left(scratch_admin: str, name: str) -> None:
    with closing(scratch.connect(scratch_admin)) as connection:
        roles.make(connection, [name], roles.COMMENT)
    with roles.standing_in(partial(scratch.connect, scratch_admin), []):
        assert there(scratch_admin, name) == []


def test_a_role_that_something_still_belongs_to_is_left_for_later(scratch_admin: str, database: str, name: str) -> None:
    connect = partial(scratch.connect, scratch_admin)
    with roles.standing_in(connect, [name]):
        ask(database, f"CREATE SCHEMA s AUTHORIZATION {quoted(name)}")
    assert there(scratch_admin, name) == [(False,)]
    ask(database, "DROP SCHEMA s")
    with roles.standing_in(connect, []):
        assert there(scratch_admin, name) == []


def test_a_user_who_may_make_no_roles_is_told_which(scratch_admin: str, name: str) -> None:
    user = f"ordinary_{secrets.token_hex(4)}"
    with closing(scratch.connect(scratch_admin)) as connection:
        execute(connection, f"CREATE ROLE {user} LOGIN")
        try:
            url = make_url(scratch_admin).set(username=user).render_as_string(hide_password=False)
            with (
                pytest.raises(ConfigurationError, match="which this server lacks") as caught,
                roles.standing_in(partial(scratch.connect, url), [name]),
            ):
                pass
            assert (
                caught.value.hint
                == f"as its superuser: CREATE ROLE {quoted(name)} NOLOGIN; then the same command again"
            )
        finally:
            execute(connection, f"DROP ROLE {user}")
