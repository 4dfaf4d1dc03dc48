"""initial_schema

Revision ID: c3bee0e2b93b
Revises:
Create Date: 2024-01-15 09:00:00.000000+00:00

Point de départ de l'historique : aucune table. `downgrade base` s'arrête ici.
"""

from collections.abc import Sequence

revision: str = "c3bee0e2b93b"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Ne crée rien : la base est seulement placée sous Alembic."""


def downgrade() -> None:
    """Ne défait rien, puisque rien n'a été créé."""
