"""An event trigger belongs to no schema, so no look at the schema shows it.

Stage: after-downgrade
Found: event trigger watch left behind
"""

from alembic import op

revision = "event_trigger_left_behind"
down_revision = "given"
branch_labels = None
depends_on = None

GIVEN = """
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
"""


def upgrade() -> None:
    op.execute("CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE CAST') EXECUTE FUNCTION watch()")


def downgrade() -> None:
    pass
