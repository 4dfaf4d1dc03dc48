"""Every model's table. A new file in this folder is found by itself; nothing has to be listed."""

import pkgutil
from importlib import import_module

from sqlalchemy import MetaData

import app.models
from app.core.database import Base


def metadata() -> MetaData:
    """Import every module of `app.models` and return the metadata that their tables registered in."""
    for module in pkgutil.iter_modules(app.models.__path__, "app.models."):
        import_module(module.name)
    return Base.metadata
