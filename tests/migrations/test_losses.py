"""What a revision drops, read from its source."""

from types import ModuleType

import pytest

from app.migrations.losses import could_lose, losses

HEADER = "import sqlalchemy as sa\nfrom alembic import op\n\n"


def said(body: str, function: str = "downgrade") -> list[str]:
    return [str(loss) for loss in losses(HEADER + body, function)]


@pytest.mark.parametrize(
    "line",
    [
        "op.drop_index('ix_users_email', table_name='users')",
        "op.drop_constraint('uq', 'users')",
        "op.execute('DROP INDEX ix')",
        "op.execute('ALTER TABLE users DROP CONSTRAINT uq')",
        "op.add_column('users', sa.Column('drop_table', sa.Text()))",
        "print('DROP TABLE users')",
    ],
)
def test_what_keeps_every_row_is_no_loss(line: str) -> None:
    assert said(f"def downgrade():\n    {line}\n") == []


def test_the_other_direction_does_not_count() -> None:
    assert said("def upgrade():\n    op.drop_table('users')\n\ndef downgrade():\n    pass\n") == []


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("op.drop_table('users')", 'table "users"'),
        ("op.drop_table('users', schema='crm')", 'table "crm.users"'),
        ("op.drop_column('users', 'phone')", 'column "phone" of "users"'),
        ("op.drop_column(table_name='users', column_name='phone')", 'column "phone" of "users"'),
        ("op.execute('drop table if exists Users')", 'table "users"'),
        ("op.execute(sa.text('DROP TABLE \"Users\"'))", 'table "Users"'),
        ("op.execute('TRUNCATE users')", 'table "users"'),
        ("op.execute('DELETE FROM ' + 'users WHERE id < 3')", 'table "users"'),
        ("op.execute('ALTER TABLE crm.users DROP COLUMN IF EXISTS phone')", 'column "phone" of "crm.users"'),
        ("op.drop_table(NAME)", "something that line 5 does not name"),
        ("op.drop_column(NAME, 'phone')", 'column "phone" of a table that line 5 does not name'),
        ("op.execute('DROP SCHEMA crm')", "something that line 5 does not name"),
    ],
)
def test_what_goes_is_named(line: str, lost: str) -> None:
    assert said(f"def downgrade():\n    {line}\n") == [lost]


def test_batches_and_helpers_of_the_same_file_count_once() -> None:
    body = (
        "def clear():\n    op.drop_table('a')\n\n\n"
        "def downgrade():\n    clear()\n    clear()\n"
        "    with op.batch_alter_table('users') as batch:\n        batch.drop_column('phone')\n"
    )
    assert said(body) == ['table "a"', 'column "phone" of "users"']


def test_code_that_does_not_parse_is_left_to_alembic() -> None:
    assert losses("def downgrade(:\n", "downgrade") == []


def loaded(source: str) -> dict[str, object]:
    module = ModuleType("revision")
    exec(source, vars(module))
    return vars(module)


@pytest.mark.parametrize(
    "body",
    [
        "def upgrade():\n    op.drop_table('a')\n",
        "def upgrade():\n    [op.execute(each) for each in ('DROP TABLE a',)]\n",
        "def helper():\n    op.drop_column('a', 'b')\n\ndef upgrade():\n    helper()\n",
        "def upgrade():\n    def inner():\n        op.drop_table('a')\n    inner()\n",
        "def twice(f):\n    def wrapper():\n        f()\n    return wrapper\n\n@twice\ndef upgrade():\n    pass\n",
        "from alembic.op import get_bind as upgrade\n",
        "upgrade = lambda: op.drop_table('a')\n",
        "",
    ],
)
def test_what_may_lose_rows_is_read_in_full(body: str) -> None:
    assert could_lose(loaded(HEADER + body), "upgrade")


def test_what_cannot_lose_rows_need_not_be_read() -> None:
    assert not could_lose(
        loaded(HEADER + "def upgrade():\n    op.add_column('a', sa.Column('b', sa.Text()))\n"), "upgrade"
    )
    body = "def downgrade():\n    op.drop_table('a')\n\ndef upgrade():\n    op.create_table('a')\n"
    assert not could_lose(loaded(HEADER + body), "upgrade")
