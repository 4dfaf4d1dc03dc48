"""What is done to a patient's database and code so that the doctor has something to find."""

import re
from collections.abc import Callable

from tests.patients import HEAD, PARENT, Patient

A, B = "aaaa1111bbbb", "cccc2222dddd"
MADE = 'op.execute("CREATE TABLE made (a int)")'
CONCURRENTLY = """with op.get_context().autocommit_block():
        op.create_index("ix_made", "users", ["password_hash"], unique=True, postgresql_concurrently=True)"""
DELETE = f"DELETE FROM public.alembic_version WHERE version_num IN ('{PARENT}')"
PSQL = "PSQL"
"""Stands for psql with its connection in an expected command."""


def put(path: str, text: str) -> Callable[[Patient], object]:
    return lambda ill: (ill.clinic.clone.folder / path).write_text(text)


def remove(path: str) -> Callable[[Patient], object]:
    return lambda ill: (ill.clinic.clone.folder / path).unlink()


def sql(*statements: str) -> Callable[[Patient], object]:
    return lambda ill: [ill.ask(one) for one in statements]


def both(*steps: Callable[[Patient], object]) -> Callable[[Patient], object]:
    return lambda ill: [step(ill) for step in steps]


def reset(ill: Patient) -> None:
    ill.clinic.git("checkout", "--quiet", "--", ".")


def a_circle(ill: Patient) -> None:
    """Make the first revision the child of the last."""
    (path,) = ill.versions.glob("c3bee0e2b93b*")
    path.write_text(re.sub(r"^down_revision.*", f'down_revision = "{HEAD}"', path.read_text(), flags=re.M))


def twin(ill: Patient) -> None:
    source = next(ill.versions.glob(f"{HEAD}*")).read_text()
    (ill.versions / "zz_copy.py").write_text(f"# a copy\n{source}")


def on_a_branch(ill: Patient) -> None:
    """Apply a revision that only another branch has."""
    ill.write(A, HEAD, MADE, 'op.execute("DROP TABLE made")')
    ill.upgrade()
    ill.clinic.git("checkout", "--quiet", "-b", "feature")
    ill.clinic.commit("feature")
    ill.clinic.git("checkout", "--quiet", "--detach", ill.clinic.base)


def applied_and_lost(ill: Patient) -> None:
    """Apply two revisions that nobody has committed, and lose their files."""
    paths = [ill.write(A, HEAD, MADE), ill.write(B, A, 'op.execute("ALTER TABLE made ADD b int")')]
    ill.upgrade()
    for path in paths:
        path.unlink()


def lost_below(ill: Patient) -> None:
    """Lose the lower one alone."""
    below = ill.write(A, HEAD, MADE)
    ill.write(B, A, "pass")
    ill.upgrade()
    below.unlink()


def two_branches(ill: Patient) -> None:
    ill.write(A, HEAD, "pass")
    ill.write(B, HEAD, "pass")
    assert ill.inv("db.upgrade", "--to=heads").code in {0, 1}


def half(ill: Patient) -> None:
    """Fail in a concurrent build, which leaves an index that is not valid; then make it possible."""
    ill.ask("INSERT INTO tenants (name, slug) VALUES ('a', 'a')")
    ill.ask(
        "INSERT INTO users (tenant_id, email, password_hash) SELECT id, g::text, 'x' FROM tenants, "
        "generate_series(1, 2) g"
    )
    ill.write(A, HEAD, CONCURRENTLY)
    assert ill.inv("db.upgrade").code == 5
    ill.ask("UPDATE users SET password_hash = email")


def invalid(name: str) -> str:
    return f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass"


def name_of(ill: Patient) -> str:
    return str(ill.ask("SELECT current_database()")[0][0])


def expected(ill: Patient, command: str) -> str:
    """The command that is to be printed; what differs from run to run filled in."""
    commit = ill.clinic.git("rev-parse", "--verify", "--quiet", "feature").strip() if "@COMMIT@" in command else ""
    for word, value in (("@BASE@", ill.clinic.base[:12]), ("@COMMIT@", commit[:12]), ("@NAME@", name_of(ill))):
        command = command.replace(word, value)
    return command


def shortened(command: str) -> str:
    """A printed command, with psql and its connection as one word."""
    return re.sub(r"^\S*psql -X .*? -c ", f"{PSQL} -c ", command)
