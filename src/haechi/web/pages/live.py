"""A call under watch: the user shares its window or points a camera, and sees what the faces in it show."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from haechi.live import LEVELS
from haechi.live.clip import SECONDS
from haechi.web import words
from haechi.web.pages.render import language, page, personal
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False)

# This page, and that of a verification, may ask for a camera; no other may.
PERMISSIONS = "camera=(self), display-capture=(self), microphone=(), geolocation=(), payment=(), usb=()"
_SENTENCES = (
    *("live_person", "live_person_level", "live_so_far", "live_chart"),
    *("live_entry", "live_entry_person", "live_loading", "live_stopped", "live_share_ended", "live_insecure"),
    *("live_no_share", "live_denied", "live_no_camera", "live_camera_busy", "live_failed", "live_pace"),
    *("challenge_say", "challenge_by_video", "challenge_by_user", "challenge_left", "live_clip_alarm"),
    *("live_clip_button", "live_keep_minor", "live_keep_empty"),
    *("live_notify_on", "live_notify_off", "live_notify_none", "live_leave_people", "live_late"),
)
_PROBLEMS = ("live_busy", "live_frame", "live_idle", "live_slow", "model", "rate_limited", "token_needed")


@router.get("/live")
def live(request: Request) -> HTMLResponse:
    """The page, and what to do when someone on a call asks for money. Raises Problem where others are served,
    too."""
    if not personal(request):
        raise Problem("not_found", "Calls are watched on one's own computer only, not by this server.")
    answer = page(
        request, "live.html", levels=LEVELS, keep_seconds=round(SECONDS), script=script_words(request)
    )
    answer.headers["permissions-policy"] = PERMISSIONS
    return answer


def script_words(request: Request) -> dict[str, str]:
    """The sentences that the script puts into the page, by their keys."""
    lang = language(request)
    catalogue = words.catalogue(lang)
    keys = [f"live_{part}_{level}" for level in LEVELS for part in ("level", "means")]
    problems = [f"problem_{code}" for code in (*_PROBLEMS, "offline", "internal", "stopping")]
    return {key: catalogue[key] for key in (*_SENTENCES, *keys, *problems)}
