"""REST ``/v1``: send a file, ask for its report, delete it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from haechi import report as reports
from haechi.report import keep
from haechi.types import Report
from haechi.web import uploads
from haechi.web.desk import Desk, Job
from haechi.web.language import asked
from haechi.web.problem import Problem

router = APIRouter(prefix="/v1")

_LONGEST_WAIT_S = 60


@router.post("/checks", status_code=202)
async def submit(request: Request) -> Response:
    """Send one photograph or video as the form field `file`."""
    desk: Desk = request.app.state.desk
    lang = asked(request)
    wait_s = _preferred_wait(request)
    id_ = await uploads.accept(request)
    if wait_s:
        await _ended(desk, id_, wait_s)
    applied = {"Preference-Applied": f"wait={wait_s}"} if wait_s else {}
    return await run_in_threadpool(_state, desk, id_, lang, applied | {"Location": f"/v1/checks/{id_}"})


@router.get("/checks/{id}")
def result(request: Request, id: str) -> Response:  # noqa: A002
    """The report, or how far its job is."""
    return _state(request.app.state.desk, id, asked(request), {})


@router.delete("/checks/{id}", status_code=204)
def drop(request: Request, id: str) -> Response:  # noqa: A002
    """Delete the job, its file and its report now."""
    if not request.app.state.desk.drop(id):
        raise not_found()
    return Response(status_code=204)


@router.get("/checks/{id}/report.haechi")
def kept(request: Request, id: str) -> Response:  # noqa: A002
    """The report as `haechi.report.keep` stores it: every format can be made of it."""
    desk: Desk = request.app.state.desk
    done(desk, id)
    data = desk.kept(id)
    if data is None:
        raise not_found()
    return Response(data, media_type=keep.MEDIA_TYPE)


@router.get("/checks/{id}/report.html")
def page(request: Request, id: str) -> Response:  # noqa: A002
    """The report as one HTML file that loads nothing from outside."""
    text = reports.render_html(done(request.app.state.desk, id), asked(request))
    own = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    headers = {"content-security-policy": own[1] + "; frame-ancestors 'none'"} if own else {}
    return Response(text, media_type="text/html", headers=headers)


def done(desk: Desk, id_: str) -> Report:
    """The report of a job that is done. Raises Problem when it failed or is not there (yet)."""
    job = desk.look(id_)
    if job is not None and job.error is not None:
        raise Problem.named(*job.error)
    report = desk.report(id_)
    if report is None:
        raise not_found()
    return report


def not_found() -> Problem:
    return Problem(
        "not_found",
        "There is no such check, or not yet: results are deleted after a while; ask for the address that the "
        "upload was answered with.",
    )


def _state(desk: Desk, id_: str, lang: str, headers: dict[str, str]) -> Response:
    job = desk.look(id_)
    if job is None:
        raise not_found()
    if job.error is not None:
        problem = Problem.named(*job.error)
        problem.headers |= headers
        raise problem
    report = desk.report(id_)
    if report is None:
        return JSONResponse(_running(job), 202, headers=headers | {"Retry-After": "1"})
    text = json.dumps(reports.to_dict(report, lang), ensure_ascii=False, allow_nan=False)
    headers = headers | {"Content-Language": lang, "Vary": "Accept-Language"}
    return Response(text, media_type="application/json", headers=headers)


def _running(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "status": job.status,
        "stage": job.stage,
        "part": round(job.part, 3),
        "ahead": job.ahead,
    }


def _preferred_wait(request: Request) -> int:
    """Seconds of ``Prefer: wait=N`` (RFC 7240), at most a minute; 0 without."""
    found = re.search(
        r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})", ",".join(request.headers.getlist("prefer")), re.I
    )
    return min(int(found[1]), _LONGEST_WAIT_S) if found else 0


async def _ended(desk: Desk, id_: str, wait_s: float) -> None:
    """Wait until the job has ended, at most that long."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(event.set)

    cancel = desk.on_end(id_, tell)
    try:
        await asyncio.wait_for(event.wait(), wait_s)
    except TimeoutError:
        pass
    finally:
        cancel()
