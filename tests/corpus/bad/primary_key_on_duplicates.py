"""The natural key is none.

Stage: rows
Error: could not create unique index "pk_visits"
"""

from alembic import op

revision = "primary_key_on_duplicates"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE visits (page integer NOT NULL, visitor integer NOT NULL);
"""


def upgrade() -> None:
    op.create_primary_key("pk_visits", "visits", ["page"])  # here


def downgrade() -> None:
    op.drop_constraint("pk_visits", "visits")
    op.alter_column("visits", "page", nullable=False)
