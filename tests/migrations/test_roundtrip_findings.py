"""What is said of a fault: names, line, and what to write instead."""

import pytest

from app.migrations.catalog import Difference
from app.migrations.findings import text
from app.migrations.headers import Revision
from app.migrations.roundtrip_findings import SHOWN, Described, Told
from app.migrations.roundtrip_report import Stage

SOURCE = """revision = "e5a7"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("status", sa.Enum("a", name="status")))


def downgrade():
    op.drop_table("users")
"""
DESCRIBED = Described(Revision("e5a7", path="versions/e5a7.py"), SOURCE)


def test_a_finding_is_told_whole() -> None:
    (found,) = DESCRIBED.differences(
        Stage.AFTER_DOWNGRADE, [Difference("enum", "public.status", None, None, "labels 'a'")]
    )
    assert text(found) == (
        "versions/e5a7.py:6: roundtrip-after-downgrade\n"
        "  downgrade of e5a7 leaves enum `status` behind\n"
        '  next: op.execute("DROP TYPE status")'
    )


@pytest.mark.parametrize(
    ("difference", "said", "instead"),
    [
        (
            Difference("column", "public.users.age", "default", "0", None),
            "downgrade of e5a7 does not bring default of column `users.age` back: it was 0",
            'op.alter_column("users", "age", server_default=sa.text("0"))',
        ),
        (
            Difference("column", "public.users.age", "not null", "yes", None),
            "downgrade of e5a7 does not bring not null of column `users.age` back: it was yes",
            'op.alter_column("users", "age", nullable=False)',
        ),
        (
            Difference("index", "ix_a ON side.users", None, None, "CREATE INDEX ..."),
            "downgrade of e5a7 leaves index `ix_a ON side.users` behind",
            'op.drop_index("ix_a", table_name="users", schema="side")',
        ),
        (
            Difference("constraint", "uq ON public.users", None, "UNIQUE (name)", None),
            "downgrade of e5a7 does not bring constraint `uq ON users` back",
            'op.execute("ALTER TABLE users ADD CONSTRAINT uq UNIQUE (name)")',
        ),
        (
            Difference("constraint", "fk ON public.users", None, None, "FOREIGN KEY (a) REFERENCES public.b(c)"),
            "downgrade of e5a7 leaves constraint `fk ON users` behind",
            'op.drop_constraint("fk", "users", type_="foreignkey")',
        ),
        (
            Difference("column", 'public."Users"."a.b"', None, None, "type integer"),
            'downgrade of e5a7 leaves column `"Users"."a.b"` behind',
            'op.drop_column("Users", "a.b")',
        ),
        (
            Difference("role", "reader", None, None, "attributes NOLOGIN"),
            "downgrade of e5a7 leaves role `reader` behind",
            'op.execute("DROP ROLE reader")',
        ),
    ],
)
def test_the_names_are_those_of_the_revision(difference: Difference, said: str, instead: str) -> None:
    (found,) = DESCRIBED.differences(Stage.AFTER_DOWNGRADE, [difference])
    assert (found.message, found.instead) == (said, instead)


def test_an_error_over_rows_names_the_table() -> None:
    error = Told('column "phone" of relation "users" contains null values', 6, "23502", "users", "phone")
    found = DESCRIBED.error(Stage.ROWS, True, error)
    assert found.message == 'upgrade of e5a7 fails when `users` has rows: column "phone" contains null values'
    assert found.instead == (
        'op.add_column("users", sa.Column("phone", ..., nullable=True))\n'
        'op.execute("UPDATE users SET phone = ... WHERE phone IS NULL")\n'
        'op.alter_column("users", "phone", nullable=False)'
    )


def test_an_error_without_a_line_is_where_the_function_begins() -> None:
    assert DESCRIBED.error(Stage.DOWNGRADE, False, Told("KeyError: 'a'")).line == 9


def test_what_is_there_already_is_not_the_fault_of_the_way_down() -> None:
    found = DESCRIBED.error(Stage.UPGRADE, True, Told('type "status" already exists', 6, "42710"))
    assert found.instead.startswith("it is there already at this revision")


def test_of_many_differences_the_first_are_told() -> None:
    many = [Difference("table", f"public.t{number}", None, None, "present") for number in range(40)]
    found = list(DESCRIBED.differences(Stage.AFTER_DOWNGRADE, many))
    assert (len(found), found[-1].message) == (
        SHOWN + 1, "downgrade of e5a7 leaves 28 more differences: `--json` has them all"
    )  # fmt: skip
