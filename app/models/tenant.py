"""A customer of the product. Every user belongs to exactly one."""

from sqlalchemy import Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base
from app.models.columns import CreatedAt, Key, UpdatedAt


class Tenant(Base):
    """One customer; `slug` is the name that stands in addresses."""

    __tablename__ = "tenants"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(server_default=true())
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
