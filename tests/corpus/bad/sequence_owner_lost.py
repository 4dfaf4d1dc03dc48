"""The sequence no longer belongs to its column, and will outlive it.

Stage: after-downgrade
Found: sequence public.tickets_id_seq changed: owned by
"""

from alembic import op

revision = "sequence_owner_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE tickets (id serial PRIMARY KEY, name text);
"""


def upgrade() -> None:
    op.execute("ALTER SEQUENCE tickets_id_seq OWNED BY NONE")


def downgrade() -> None:
    pass
