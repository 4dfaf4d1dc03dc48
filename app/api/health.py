"""The two questions of an orchestrator: does this process live, and may it get traffic. Changes nothing."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, Field

from app.api.probe import Probe
from app.migrations.readiness import Readiness
from app.migrations.standing import State

UNREACHABLE: Literal["unreachable"] = "unreachable"
NOT_KEPT = {"Cache-Control": "no-store"}

router = APIRouter(prefix="/health", tags=["health"])


class Live(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Pending(BaseModel):
    """A revision that the database lacks."""

    revision: str
    title: str


class Ready(BaseModel):
    """Whether the database is exactly where this code needs it, in the words of `inv db.status`."""

    status: Literal["ready", "not ready"]
    state: State | Literal["unreachable"]
    standing: str = Field(description="where the database stands, in a few words")
    revisions: list[str] = Field(description="ids in the database; none where it was not read")
    heads: list[str] = Field(description="ids of the newest revisions in the code")
    pending: list[Pending] = Field(description="what the database lacks, oldest first")
    half_applied: list[str] = Field(description="revisions that began to commit their work and have not ended")
    migration_running: bool
    next: str | None = Field(description="the command to run next; null when ready")


def probe_of(request: Request) -> Probe:
    """Return the probe that the application was made with."""
    found: Probe = request.app.state.probe
    return found


@router.head("/live", include_in_schema=False)
@router.get("/live")
async def live(response: Response) -> Live:
    """Answer that this process lives; asks nobody else."""
    response.headers.update(NOT_KEPT)
    return Live()


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses={status.HTTP_503_SERVICE_UNAVAILABLE: {"model": Ready}})
async def ready(response: Response, probe: Annotated[Probe, Depends(probe_of)]) -> Ready:
    """Answer 200 when the database is exactly at the head of this code, else 503 and what to do about it."""
    found = await probe.ask()
    response.headers.update(NOT_KEPT)
    if not found.ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return _answer(found, probe.looker.history.heads)


def _answer(found: Readiness, heads: tuple[str, ...]) -> Ready:
    standing = found.standing
    return Ready(
        status="ready" if found.ready else "not ready",
        state=standing.state if standing else UNREACHABLE,
        standing=found.words,
        revisions=list(standing.revisions if standing else ()),
        heads=list(heads),
        pending=[Pending(revision=one.revision, title=one.doc) for one in (standing.pending if standing else ())],
        half_applied=list(standing.half_applied if standing else ()),
        migration_running=found.running,
        next=found.next,
    )
