"""Whether the server lives, whether it is ready, and what it has done."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from haechi.web import openapi
from haechi.web.jobs.scheduler import Scheduler
from haechi.web.metrics import MEDIA_TYPE
from haechi.web.openapi import problems
from haechi.web.problem import Problem

router = APIRouter()

_STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}
_STATE = openapi.answer(200, "Yes.", "application/json", _STATUS)


@router.get("/healthz", responses=_STATE | problems())
async def healthz() -> Response:
    """Whether the process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", responses=_STATE | problems("model", "loading", "stalled"))
def readyz(request: Request) -> Response:
    """Whether uploads are judged at once: networks loaded, no model missing or altered, nothing hangs."""
    problem = _trouble(request)
    if problem is not None:
        raise problem
    return JSONResponse({"status": "ready"})


def _trouble(request: Request) -> Problem | None:
    """Why uploads are not judged at once; None when they are."""
    scheduler: Scheduler = request.app.state.scheduler
    fault = scheduler.fault or request.app.state.models.fault()
    if fault is not None:
        return Problem.of(fault)
    patience = {"Retry-After": "2"}
    if scheduler.stalled:
        return Problem(
            "stalled",
            "Checks stand still, as on a full disk: see the log of the server, and start it again if it does "
            "not go on by itself.",
            headers=patience,
        )
    if not scheduler.warm:
        return Problem(
            "loading", "The models are being loaded: ask again in a few seconds.", headers=patience
        )
    return None


@router.get(
    "/metrics",
    response_class=Response,
    responses=openapi.answer(200, "Text format 0.0.4.", "text/plain", {"type": "string"}) | problems(),
)
def metrics(request: Request) -> Response:
    """Counts for Prometheus."""
    state = request.app.state
    ready = _trouble(request) is None
    text = state.metrics.text(state.jobs.counts(), calls=state.live.count, ready=ready)
    return Response(text, media_type=MEDIA_TYPE)
