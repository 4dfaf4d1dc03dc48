"""The application: what it is made of, and how it is served. Nothing is read and nothing connects at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api import health
from app.api.probe import Probe
from app.core import config
from app.core.engine import make_engine
from app.migrations import readiness, reporting, targets
from app.migrations.environments import Environment

VERSION = "0.1.0"


def create_app(settings: Environment | None = None) -> FastAPI:
    """Return the application for `settings`, by default those of this process; a private server is started.

    Nothing connects to a real server yet. Raises ConfigurationError and Refused, also for a history that is not whole.
    """
    target = targets.resolve(settings or config.settings(), config.ROOT)
    history = readiness.whole_history(config.ROOT)
    engine = make_engine(targets.impatient(target.url, readiness.CONNECT_TIMEOUT))
    probe = Probe(readiness.Looker(engine, history, target.place))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        probe.close()

    made = FastAPI(title="MassaCorp", version=VERSION, lifespan=lifespan, redoc_url=None)
    made.state.probe = probe
    made.include_router(health.router)
    return made


def application() -> FastAPI:
    """Return what `uvicorn --factory app.main:application` serves; a fault of the settings ends it in two lines."""
    with reporting.two_lines():
        return create_app()
