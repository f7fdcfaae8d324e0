"""The browser pages. ``router`` holds all of them; whatever they ask for works without JavaScript too."""

from __future__ import annotations

from fastapi import APIRouter

from haechi.web.pages import (
    about,
    assets,
    case_delete,
    case_entries,
    case_letter,
    case_match,
    cases,
    check,
    live,
    live_clip,
    models,
    questions,
    result,
    verify,
)
from haechi.web.pages import help as help_now
from haechi.web.pages.render import problem, wants_page

__all__ = ["problem", "router", "wants_page"]

router = APIRouter(include_in_schema=False)
# The entries after all else of a case: their numbers stand where other pages have words.
for _piece in (
    *(check, result, live, live_clip, verify, cases, case_match, case_letter, case_delete, case_entries),
    *(questions, models, help_now, about, assets),
):
    router.include_router(_piece.router)
