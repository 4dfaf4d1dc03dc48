"""A block that commits, and its company."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "autocommit-block-not-alone"
SILENT = {
    "alone": (
        """
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "two statements in one block": (
        """
        with op.get_context().autocommit_block():
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix")
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "beside settings and questions": (
        """
        op.execute("SET lock_timeout = '1s'")
        op.get_bind().scalar(sa.text("SELECT 1"))
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "no block at all": ('op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))', ""),
}
FIRES = {
    "before the block": (
        """
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "behind the block": (
        """
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
        op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    """,
        "",
    ),
    "rows beside the block": (
        """
        op.execute("UPDATE users SET active = true")
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        "",
    ),
    "on the way down": (
        """
        with op.get_context().autocommit_block():
            op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
    """,
        """
        op.drop_column("users", "phone")
        with op.get_context().autocommit_block():
            op.drop_index("ix_users_email", postgresql_concurrently=True)
    """,
    ),
}


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_it_is_silent_where_nothing_is_wrong(body: tuple[str, str]) -> None:
    assert RULE not in fired(*body)


@pytest.mark.parametrize("body", FIRES.values(), ids=FIRES)
def test_it_finds(body: tuple[str, str]) -> None:
    assert fired(*body).count(RULE) == 1


def test_the_message_names_the_consequence_and_what_to_write_instead() -> None:
    assert (
        told(
            RULE,
            """op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
with op.get_context().autocommit_block():
    op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)""",
        )
        == """\
v/a1.py:11: autocommit-block-not-alone (warning)
  This block commits on its own: when it fails, the add column in line 9 is kept, and upgrade() cannot be run again as it is.
  Instead:
      op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
      # in the next revision:
      with op.get_context().autocommit_block():
          op.create_index("ix_users_email", "users", ["email"], postgresql_concurrently=True)
  Everything outside of the block can be run twice? Say so: `# allow: autocommit-block-not-alone -- reason`"""
    )
