<%
    title = message.replace("\\", "\\\\").replace('"', "'")
%>\
"""${title}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

Avant de valider : une seule modification logique ; un downgrade qui défait tout ce que fait l'upgrade ;
pas d'import de `app` (le code changera, pas cette migration) ; sur une table remplie, un index se construit
avec CONCURRENTLY, hors transaction (`op.get_context().autocommit_block()`).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    """Applique la migration."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Annule la migration."""
    ${downgrades if downgrades else "pass"}
