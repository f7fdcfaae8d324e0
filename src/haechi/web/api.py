"""REST ``/v1``: send a file, ask for its report, delete it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from haechi import models
from haechi import report as reports
from haechi.errors import ModelError
from haechi.report import archive
from haechi.report.pictures import blurred
from haechi.types import Report
from haechi.web import openapi, uploads
from haechi.web.answers import of_minor
from haechi.web.heatmap import heat_png
from haechi.web.jobs.records import Job
from haechi.web.jobs.store import JobStore
from haechi.web.language import asked
from haechi.web.openapi import problems
from haechi.web.pdf import pdf
from haechi.web.problem import Problem
from haechi.web.sessions import caller_of

router = APIRouter(prefix="/v1")

Id = Annotated[str, Path(description="As the upload was answered.")]
_LONGEST_WAIT_S = 60
_UPLOAD = (
    *("bad_multipart", "cross_site", "too_slow", "too_large", "not_multipart", "no_file", "invalid"),
    *("queue_full", "model", "disk_full"),
)
_FAILED = ("unreadable", "unknown_format", "damaged_file", "over_limit", "crashed", "model")
_LANG = {"parameters": [openapi.LANG]}


@router.post(
    "/checks",
    status_code=202,
    responses=openapi.report_answer() | openapi.running_answer() | problems(*_UPLOAD, *_FAILED),
    openapi_extra={"parameters": [openapi.LANG, openapi.PREFER], "requestBody": openapi.FORM},
)
async def submit(request: Request) -> Response:
    """Send one photograph or video as the form field `file`. The answer's `Location` is where its report will
    be. With `Prefer: wait=20` the answer is the report itself when it is ready in time."""
    lang = asked(request)
    wait_s = _preferred_wait(request)
    id_ = await uploads.accept(request)
    headers = {"Location": f"/v1/checks/{id_}"}
    if not wait_s:
        return await run_in_threadpool(_progress, request, id_, headers)
    await _ended(request.app.state.jobs, id_, wait_s)
    headers["Preference-Applied"] = f"wait={wait_s}"
    return await run_in_threadpool(_state, request, id_, None if _wants_kept(request) else lang, headers)


@router.get(
    "/checks/{id}",
    responses=openapi.report_answer() | openapi.running_answer() | problems("not_found", "invalid", *_FAILED),
    openapi_extra=_LANG,
)
def result(request: Request, id: Id) -> Response:  # noqa: A002
    """The report, or how far its job is. When the file could not be read, the problem says why."""
    return _state(request, id, None if _wants_kept(request) else asked(request), {})


@router.delete(
    "/checks/{id}",
    status_code=204,
    responses=openapi.answer(204, "All of it is gone.") | problems("cross_site", "not_found", "too_large"),
)
def drop(request: Request, id: Id) -> Response:  # noqa: A002
    """Delete the job, its file and its report now; a check that runs is broken off."""
    if seen(request, id) is None or not request.app.state.jobs.drop(id):
        raise not_found()
    return Response(status_code=204)


@router.get(
    "/checks/{id}/heatmap.png",
    response_class=Response,
    responses=openapi.answer(200, "A transparent picture as large as the report's preview.", "image/png")
    | problems("not_found", "no_heatmap", "withheld", *_FAILED),
)
def heatmap(request: Request, id: Id) -> Response:  # noqa: A002
    """Where the evidence lies, to be laid over the picture; of a video, over its strongest frame."""
    data = heat_png(_pictured(request, id))
    if data is None:
        raise Problem("no_heatmap", "No detector marked a place in this file: see the report.")
    return Response(data, media_type="image/png")


@router.get(
    "/checks/{id}/report.html",
    response_class=Response,
    responses=openapi.answer(200, "One HTML file.", "text/html")
    | problems("not_found", "invalid", "withheld", *_FAILED),
    openapi_extra=_LANG,
)
def page(request: Request, id: Id) -> Response:  # noqa: A002
    """The report as one HTML file that loads nothing from outside."""
    text = reports.render_html(_pictured(request, id), asked(request))
    # Its own policy names its style and script by their hashes, which the policy of our pages would forbid.
    own = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    headers = {"Content-Security-Policy": own[1] + "; frame-ancestors 'none'"} if own else {}
    return Response(text, media_type="text/html", headers=headers)


@router.get(
    "/checks/{id}/proof.txt",
    response_class=Response,
    responses=openapi.answer(200, "Text.", "text/plain") | problems("not_found", "invalid", *_FAILED),
    openapi_extra=_LANG,
)
def proof(request: Request, id: Id) -> Response:  # noqa: A002
    """The check as text alone: hashes, times, the verdict in words and figures. No picture, no file name."""
    text = reports.render_proof(done(request, id), asked(request))
    return Response(text, media_type="text/plain; charset=utf-8")


@router.get(
    "/checks/{id}/report.pdf",
    response_class=Response,
    responses=openapi.answer(200, "A PDF.", "application/pdf")
    | problems("not_found", "invalid", "withheld", "no_pdf", *_FAILED),
    openapi_extra=_LANG,
)
def printed(
    request: Request,
    id: Id,  # noqa: A002
    pictures: Annotated[
        Literal["blurred", "clear"], Query(description="On paper nothing can be uncovered: `clear` as it is.")
    ] = "blurred",
) -> Response:
    """The report as PDF, where WeasyPrint is installed on the server. Its pictures are blurred unless asked
    for."""
    report = _pictured(request, id)
    report = report if pictures == "clear" else blurred(report)
    return Response(pdf(reports.render_html(report, asked(request))), media_type="application/pdf")


@router.get(
    "/checks/{id}/report.haechi",
    response_class=Response,
    responses=openapi.answer(200, "For `haechi.report.archive.load`.", archive.MEDIA_TYPE)
    | problems("not_found", "withheld", *_FAILED),
)
def kept(request: Request, id: Id) -> Response:  # noqa: A002
    """The report as it is stored: the client of Haechi makes every format and language of it."""
    _check_done(request, id)
    _refuse_of_minor(request)
    data = request.app.state.jobs.archived_report(id)
    if data is None:
        raise not_found()
    return Response(data, media_type=archive.MEDIA_TYPE)


@router.get(
    "/models",
    responses=openapi.answer(200, "The cards.", "application/json", {"$ref": "#/components/schemas/Models"})
    | problems("model"),
)
def cards(request: Request) -> Response:
    """The cards of the models: on what each was trained, what was measured, where it fails."""
    try:
        all_cards = models.cards(request.app.state.settings)
    except ModelError as error:
        raise Problem.of(error) from None
    return JSONResponse({"models": [dict(card.raw) for card in all_cards]})


def seen(request: Request, id_: str) -> Job | None:
    """The job, when there is one and it is the caller's: to others it does not exist."""
    job: Job | None = request.app.state.jobs.look(id_)
    return job if job is not None and caller_of(request).reads(job.owner) else None


def _check_done(request: Request, id_: str) -> None:
    """Raises Problem when the job failed or is not there."""
    job = seen(request, id_)
    if job is None:
        raise not_found()
    if job.error is not None:
        raise Problem.named(*job.error)


def done(request: Request, id_: str) -> Report:
    """The report of a job that is done. Raises Problem when it failed or is not there (yet)."""
    _check_done(request, id_)
    report: Report | None = request.app.state.jobs.report(id_)
    if report is None:
        raise not_found()
    return report


def _pictured(request: Request, id_: str) -> Report:
    """The same for an answer that holds a picture. Raises Problem also when it shows a minor."""
    report = done(request, id_)
    _refuse_of_minor(request)
    return report


def _refuse_of_minor(request: Request) -> None:
    if of_minor(request):
        raise Problem(
            "withheld",
            "No picture is handed out, because you said that the person in it is a minor: ask for "
            "/proof.txt, which holds the hashes, the times and the verdict.",
        )


def not_found() -> Problem:
    return Problem(
        "not_found",
        "There is no such check or it is not ready: ask for the address that the upload was answered with; "
        "results are deleted after a while.",
    )


def _wants_kept(request: Request) -> bool:
    """Whether the caller names the stored form in Accept, as the client of Haechi does, and may have the
    pictures in it; otherwise the answer is JSON, which has none."""
    return archive.MEDIA_TYPE in request.headers.get("accept", "") and not of_minor(request)


def _state(request: Request, id_: str, lang: str | None, headers: Mapping[str, str]) -> Response:
    """The report of a job, its problem, or how far it is. ``lang`` None: the report as it is stored."""
    jobs: JobStore = request.app.state.jobs
    job = seen(request, id_)
    if job is None:
        raise not_found()
    if job.error is not None:
        problem = Problem.named(*job.error)
        problem.headers |= headers
        raise problem
    if lang is None:
        data = jobs.archived_report(id_)
        if data is None:
            return _progress(request, id_, headers)
        return Response(data, media_type=archive.MEDIA_TYPE, headers={"Vary": "Accept", **headers})
    report = jobs.report(id_, previews=False)
    if report is None:
        return _progress(request, id_, headers)
    text = json.dumps(reports.to_dict(report, lang), ensure_ascii=False, allow_nan=False)
    response_headers = {"Content-Language": lang, "Vary": "Accept, Accept-Language", **headers}
    return Response(text, media_type="application/json", headers=response_headers)


def _progress(request: Request, id_: str, headers: Mapping[str, str]) -> Response:
    job = seen(request, id_)
    if job is None:
        raise not_found()
    body = {name: getattr(job, name) for name in ("id", "status", "stage", "ahead")}
    body["part"] = round(job.part, 3)
    return JSONResponse(body, 202, headers={"Retry-After": "1", **headers})


def _preferred_wait(request: Request) -> int:
    """Seconds of ``Prefer: wait=N`` (RFC 7240), at most a minute; 0 without."""
    preferences = ",".join(request.headers.getlist("prefer"))
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})(?=[\",;\s]|$)", preferences, re.IGNORECASE)
    return min(int(match[1]), _LONGEST_WAIT_S) if match else 0


async def _ended(jobs: JobStore, id_: str, wait_s: float) -> None:
    """Wait until the job has ended, at most that long."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop was closed: the server ended meanwhile
            loop.call_soon_threadsafe(event.set)

    cancel = jobs.on_end(id_, tell)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await event.wait()
    finally:
        cancel()
