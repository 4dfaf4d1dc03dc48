"""The old text of the view is copied from an older revision, without its condition.

Stage: after-downgrade
Found: view public.buyers changed: definition
"""

from alembic import op

revision = "view_definition_changed"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE VIEW buyers AS SELECT id, email FROM accounts WHERE status = 'active';
"""


def upgrade() -> None:
    op.execute("CREATE OR REPLACE VIEW buyers AS SELECT id, email, nickname FROM accounts WHERE status = 'active'")


def downgrade() -> None:
    op.execute("DROP VIEW buyers")
    op.execute("CREATE VIEW buyers AS SELECT id, email FROM accounts")
