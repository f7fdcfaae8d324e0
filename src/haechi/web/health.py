"""Whether the server lives, is ready, and what it has done: /healthz, /readyz, /metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from haechi.web.problem import Problem
from haechi.web.worker import Worker

router = APIRouter()


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Uploads would be judged now."""
    worker: Worker = request.app.state.worker
    if worker.fault is not None:
        raise Problem.of(worker.fault)
    if not worker.warm:
        raise Problem("loading", "The models are being loaded: ask again in a few seconds.")
    return JSONResponse({"status": "ready"})
