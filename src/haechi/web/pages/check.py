"""The first page: drop, paste, pick or photograph. With JavaScript files go to REST one by one and the page
follows them; without it, the form below brings one file."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from haechi.report.messages import say as say_report
from haechi.types import Level
from haechi.web import uploads, words
from haechi.web.pages.render import language, page, problem_words

router = APIRouter(include_in_schema=False)

_LEVELS: tuple[Level, ...] = ("strong", "some", "none", "unknown")


@router.get("/")
def check(request: Request, deleted: bool = False) -> HTMLResponse:
    """Where files are given. ``deleted``: a result has just been deleted at the person's wish."""
    options = request.app.state.options
    return page(
        request,
        "check.html",
        deleted=deleted,
        minutes=max(1, round(options.keep_s / 60)),
        megabytes=options.max_upload_bytes // 1024**2,
        script=script_words(request),
    )


@router.post("/checks")
async def submit(request: Request) -> Response:
    """The plain form: one file, then the page of its check."""
    return RedirectResponse(f"/checks/{await uploads.accept(request)}", 303)


def script_words(request: Request) -> dict[str, str]:
    """The sentences that the script puts into the page, by their keys."""
    lang = language(request)
    catalogue = words.catalogue(lang)
    sentences = {key: catalogue[key] for key in ("see_result", "result_of")}
    sentences |= {f"state_{state}": catalogue[f"state_{state}"] for state in words.FAMILIES["state_"]}
    sentences |= {f"problem_{code}": problem_words(request, code) for code in words.FAMILIES["problem_"]}
    return sentences | {f"level_{level}": say_report(f"level_word_{level}", lang) for level in _LEVELS}
