"""add_sessions_updated_at

Revision ID: e5a72b8c9d0f
Revises: a91f6d2c4b7e
Create Date: 2024-02-12 09:00:00.000000+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "e5a72b8c9d0f"
down_revision: str | Sequence[str] | None = "a91f6d2c4b7e"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Ajoute `sessions.updated_at` ; now() étant stable, PostgreSQL ne réécrit pas la table."""
    op.add_column(
        "sessions",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )


def downgrade() -> None:
    """Retire la colonne : les dates de mise à jour sont perdues."""
    op.drop_column("sessions", "updated_at")
