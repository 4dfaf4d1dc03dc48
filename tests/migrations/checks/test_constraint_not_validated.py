"""Constraints for which a table is read under a lock."""
# ruff: noqa: E501 -- messages and cases stand here as they are written

import pytest

from tests.migrations.checks.revisions import fired, told

RULE = "constraint-not-validated"
SILENT = {
    "not valid": (
        'op.create_foreign_key("fk_a", "users", "tenants", ["tenant_id"], ["id"], postgresql_not_valid=True)',
        "",
    ),
    "not valid in SQL": ('op.execute("ALTER TABLE users ADD CONSTRAINT a CHECK (age > 0) NOT VALID")', ""),
    "a value that is not known": (
        'op.create_foreign_key("fk_a", "users", "tenants", ["tenant_id"], ["id"], postgresql_not_valid=later)',
        "",
    ),
    "validation alone": ('op.execute("ALTER TABLE users VALIDATE CONSTRAINT a")', ""),
    "of a new table": (
        """
        op.create_table("a", sa.Column("id", sa.BigInteger(), primary_key=True))
        op.create_check_constraint("c", "a", "id > 0")
    """,
        "",
    ),
    "a reference in the statement of a new column": (
        'op.add_column("users", sa.Column("a_id", sa.BigInteger(), sa.ForeignKey("a.id")), inline_references=True)',
        "",
    ),
    "a reference in SQL": ('op.execute("ALTER TABLE users ADD COLUMN a_id bigint REFERENCES a")', ""),
    "the recipe for NOT NULL": (
        """
        op.execute("ALTER TABLE users VALIDATE CONSTRAINT c")
        op.alter_column("users", "age", nullable=False)
        op.drop_constraint("c", "users")
    """,
        "",
    ),
    "NOT NULL taken away": ('op.alter_column("users", "age", nullable=True)', ""),
    "a table that is not known": ('op.alter_column(table, "age", nullable=False)', ""),
    "validated in a transaction of its own": (
        """
        op.execute("ALTER TABLE users ADD CONSTRAINT a CHECK (age > 0) NOT VALID")
        with op.get_context().autocommit_block():
            op.execute("ALTER TABLE users VALIDATE CONSTRAINT a")
    """,
        "",
    ),
    "on the way down": (
        'op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))',
        """
        op.alter_column("users", "email", nullable=False)
        op.drop_column("users", "phone")
    """,
    ),
}
FIRES = {
    "a foreign key": ('op.create_foreign_key("fk_a", "users", "tenants", ["tenant_id"], ["id"])', ""),
    "a check": ('op.create_check_constraint("adult", "users", "age > 17")', ""),
    "a foreign key in SQL": ('op.execute("ALTER TABLE users ADD FOREIGN KEY (tenant_id) REFERENCES tenants")', ""),
    "a new column with a reference": (
        'op.add_column("users", sa.Column("a_id", sa.BigInteger(), sa.ForeignKey("a.id")))',
        "",
    ),
    "a reference with a default": (
        'op.add_column("users", sa.Column("a_id", sa.BigInteger(), sa.ForeignKey("a.id"), server_default="1"), inline_references=True)',
        "",
    ),
    "NOT NULL": ('op.alter_column("users", "age", nullable=False)', ""),
    "NOT NULL in SQL": ('op.execute("ALTER TABLE users ALTER age SET NOT NULL")', ""),
    "validated in the same transaction": (
        """
        op.create_foreign_key("fk_a", "users", "tenants", ["tenant_id"], ["id"], postgresql_not_valid=True)
        op.execute("ALTER TABLE users VALIDATE CONSTRAINT fk_a")
    """,
        "",
    ),
    "a batch": (
        """
        with op.batch_alter_table("users") as batch:
            batch.create_foreign_key("fk_a", "tenants", ["tenant_id"], ["id"])
    """,
        "",
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
        told(RULE, 'op.create_foreign_key("fk_a", "users", "tenants", ["tenant_id"], ["id"])')
        == """\
v/a1.py:9: constraint-not-validated (warning)
  All of "users" is read to check this foreign key, and writes to "users" and "tenants" wait meanwhile.
  Instead:
      op.create_foreign_key(op.f("fk_a"), "users", "tenants", ["tenant_id"], ["id"], postgresql_not_valid=True)
      # in the next revision:
      op.execute('ALTER TABLE "users" VALIDATE CONSTRAINT "fk_a"')
  The table is small? Say so: `# allow: constraint-not-validated -- reason`"""
    )
