"""The declarative base, and the engine for those who use models. Opens no connection by itself."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from app.core.engine import NAMING_CONVENTION, make_engine

__all__ = ["NAMING_CONVENTION", "Base", "make_engine"]


class Base(DeclarativeBase):
    """Base of every model. Constraints get predictable names, so that a downgrade can drop them by name."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
