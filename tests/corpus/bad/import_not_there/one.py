"""The module is not installed here: the revision cannot be judged, and is named.

Result: skipped
Error: corpus_module_that_is_not_there
"""

import corpus_module_that_is_not_there  # type: ignore[import-not-found]
from alembic import op

revision = "one"
down_revision = "given"
branch_labels = None
depends_on = None


def upgrade() -> None:
    corpus_module_that_is_not_there.upgrade(op)


def downgrade() -> None:
    corpus_module_that_is_not_there.downgrade(op)
