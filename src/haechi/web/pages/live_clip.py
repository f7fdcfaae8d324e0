"""A clip of a call, held in memory until it is put into a case, or forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from haechi.case import Case
from haechi.live.clip import Clip
from haechi.web.answers import of_minor
from haechi.web.live.keeping import HeldClips
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.cases import case_choices, case_for
from haechi.web.pages.questions import questions
from haechi.web.pages.render import page, problem_words
from haechi.web.sessions import caller_of

router = APIRouter(include_in_schema=False, route_class=CaseRoute)


@router.get("/live/clips/{ident}")
def clip_form(request: Request, ident: str) -> Response:
    """The form that puts a clip into a case; first two questions, which decide whether it may be kept."""
    clip = _held(request).get(caller_of(request).owner, ident)
    values = questions(request)
    if values["answers"] is None:
        return page(request, "keep_first.html", back=f"/live/clips/{ident}", **values)
    if of_minor(request):
        return _forgotten(request, ident)
    return _form(request, ident, clip)


@router.post("/live/clips/{ident}")
def clip_keep(
    request: Request,
    ident: str,
    note: Annotated[str, Form()] = "",
    case: Annotated[str, Form()] = "new",
    title: Annotated[str, Form()] = "",
    passphrase: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    lock: Annotated[str, Form()] = "",
    minor: Annotated[str, Form()] = "",
) -> Response:
    """Store it: the video, and what was said of it as JSON."""
    clip = _held(request).get(caller_of(request).owner, ident)
    if minor or of_minor(request):
        return _forgotten(request, ident)
    values = {
        **{"note": note, "case": case, "title": title},
        **{"passphrase": passphrase, "again": again, "lock": lock},
    }
    to = case_for(request, values)
    if isinstance(to, str):
        return _form(request, ident, clip, to, values)
    number = _store(request, to, clip, note.replace("\r\n", "\n").strip())
    _held(request).drop(ident)
    response = RedirectResponse(f"/cases/{to.folder.name}?added={number}", 303)
    case_sessions.unlock(request, response, to.folder.name, to)
    return response


def _store(request: Request, case: Case, clip: Clip, note: str) -> int:
    """Two entries, of which the second names the first; the number of the first."""
    name = f"call-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    # Decoders are given files alone.
    with TemporaryDirectory(prefix="clip-", dir=request.app.state.jobs.scratch) as folder:
        file = Path(folder) / f"{name}.avi"
        file.write_bytes(clip.video())
        video = case.add(file, note=note)
        file = Path(folder) / f"{name}.json"
        file.write_bytes(clip.told())
        case.add(file, note=f"{name}.avi, SHA-256 {video.sha256}")
    return video.number


def _form(
    request: Request, ident: str, clip: Clip, error: str = "", values: dict[str, str] | None = None
) -> Response:
    return page(
        request,
        "live_clip.html",
        status=422 if error else 200,
        ident=ident,
        seconds=round(clip.seconds),
        error=problem_words(request, error) if error else "",
        values=values or {},
        **case_choices(request, (values or {}).get("case", "")),
    )


def _forgotten(request: Request, ident: str) -> Response:
    """Of a minor nothing is kept."""
    _held(request).drop(ident)
    return page(request, "live_clip_gone.html")


def _held(request: Request) -> HeldClips:
    clips: HeldClips = request.app.state.clips
    return clips
