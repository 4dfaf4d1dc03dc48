"""A backfill in batches, in a loop of the server."""

import sqlalchemy as sa
from alembic import op

revision = "batches_on_the_server"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("note_length", sa.Integer()))
    op.execute(
        """
        DO $$
        DECLARE last bigint := 0; upto bigint;
        BEGIN
            LOOP
                SELECT max(id) INTO upto FROM (SELECT id FROM orders WHERE id > last ORDER BY id LIMIT 7) batch;
                EXIT WHEN upto IS NULL;
                UPDATE orders SET note_length = length(note) WHERE id > last AND id <= upto;
                last := upto;
            END LOOP;
        END $$
        """
    )


def downgrade() -> None:
    op.drop_column("orders", "note_length")
