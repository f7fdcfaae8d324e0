"""The page *Verify*: a camera, one challenge after another, and the result."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from haechi.verify.challenges import KINDS
from haechi.verify.checks import CHECKS
from haechi.verify.types import DECISIONS
from haechi.web import words
from haechi.web.pages.live import PERMISSIONS
from haechi.web.pages.render import language, page

router = APIRouter(include_in_schema=False)

_SENTENCES = (
    *("verify_ready", "verify_step", "verify_judging", "verify_stopped", "verify_again"),
    *("live_insecure", "live_denied", "live_no_camera", "live_camera_busy"),
)
_PROBLEMS = ("verify_busy", "verify_refused", "verify_full", "token_needed", "model", "internal", "offline")


@router.get("/verify")
def verify(request: Request) -> HTMLResponse:
    """The page; whoever opens it opens the sessions, and is shown how they end."""
    minutes = round(request.app.state.options.verify_keep_s / 60)
    answer = page(request, "verify.html", script=script_words(request), minutes=max(1, minutes))
    answer.headers["permissions-policy"] = PERMISSIONS
    return answer


def script_words(request: Request) -> dict[str, str]:
    """The sentences that the script puts into the page, by their keys."""
    catalogue = words.catalogue(language(request))
    keys = [
        *(f"verify_do_{kind}" for kind in KINDS),
        *(f"verify_result_{decision}" for decision in DECISIONS),
        *(f"verify_check_{name}" for name, _ in CHECKS),
        *(f"problem_{code}" for code in _PROBLEMS),
    ]
    return {key: catalogue[key] for key in (*_SENTENCES, *keys)}
