"""Compression of what is compressed already was switched off, and is on again.

Stage: after-downgrade
Found: column public.files.content changed: storage
"""

import sqlalchemy as sa
from alembic import op

revision = "storage_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE files (id integer PRIMARY KEY, content bytea);
ALTER TABLE files ALTER content SET STORAGE EXTERNAL;
"""


def upgrade() -> None:
    op.drop_column("files", "content")


def downgrade() -> None:
    op.add_column("files", sa.Column("content", sa.LargeBinary()))
