"""A deferrable key comes back as one that is checked at once.

Stage: after-downgrade
Found: constraint fk_steps_next ON public.steps changed: definition
"""

from alembic import op

revision = "deferrable_lost"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE TABLE steps (id integer PRIMARY KEY, next_id integer);
ALTER TABLE steps ADD CONSTRAINT fk_steps_next FOREIGN KEY (next_id) REFERENCES steps DEFERRABLE INITIALLY DEFERRED;
"""


def upgrade() -> None:
    op.drop_constraint("fk_steps_next", "steps")


def downgrade() -> None:
    op.create_foreign_key("fk_steps_next", "steps", "steps", ["next_id"], ["id"])
