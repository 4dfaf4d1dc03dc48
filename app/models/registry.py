"""Every model's table. A new file in this folder is found by itself; nothing has to be listed."""

import pkgutil
from importlib import import_module

from sqlalchemy import MetaData

import app.models
from app.core.engine import NAMING_CONVENTION


def metadata() -> MetaData:
    """Import every module of `app.models` and return the metadata that their tables registered in."""
    from app.core.database import Base  # noqa: PLC0415 -- it loads the ORM

    for module in pkgutil.iter_modules(app.models.__path__, "app.models."):
        import_module(module.name)
    return Base.metadata


def naming() -> MetaData:
    """Return metadata without a table, for what needs the names of constraints alone: models take 0.1 s to load."""
    return MetaData(naming_convention=NAMING_CONVENTION)
