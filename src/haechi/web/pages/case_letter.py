"""Letters that ask for removal or report, about entries of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from haechi import helplines, platforms
from haechi.case import COUNTRIES, KINDS
from haechi.case.letter import country_of, iso
from haechi.settings import LANGUAGES
from haechi.web import words
from haechi.web.answers import answers_of
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.questions import guess
from haechi.web.pages.render import language, page

router = APIRouter(include_in_schema=False, route_class=CaseRoute)


@router.get("/cases/{case}/letter")
def letter(
    request: Request,
    case: str,
    kind: str = "",
    text_lang: str = "",
    country: str | None = None,
    intimate: bool = False,
    own_photo: bool = False,
    n: Annotated[Sequence[int], Query()] = (),
) -> Response:
    """The form for a letter, below it the letter, and whom to call in its country."""
    open_case = case_sessions.opened(request, case)
    lang = language(request)
    letter_lang = text_lang if text_lang in LANGUAGES else lang
    draft = None
    if kind:
        draft = open_case.letter(n, kind, letter_lang, country or "", intimate=intimate, own_photo=own_photo)
    letter_country = country_of(guess(request) if country is None else country)
    here, entries = iso(letter_country), open_case.entries()
    answers = answers_of(request)
    about_minor = any(entry.minor for entry in entries if not n or entry.number in n)
    minor = answers.minor if answers is not None and not about_minor else about_minor or None
    lines, elsewhere = helplines.for_country(here), helplines.elsewhere(here)
    if minor is not None:
        lines = helplines.right_for(lines, minor=minor)
        elsewhere = {code: helplines.right_for(others, minor=minor) for code, others in elsewhere.items()}
    return page(
        request,
        "case_letter.html",
        ident=case,
        entries=entries,
        kinds=[(code, words.say(f"letter_kind_{code.replace('-', '_')}", lang)) for code in KINDS],
        countries=[(code, words.say(f"country_{iso(code)}", lang)) for code in COUNTRIES],
        kind=kind,
        written=letter_lang,
        country=letter_country,
        lines=lines,
        elsewhere=elsewhere,
        intimate=intimate,
        own_photo=own_photo,
        numbers=n,
        draft=draft,
        forms=platforms.forms(),
        query=request.url.query,
        script={"letter_copied": words.say("letter_copied", lang)},
    )


@router.get("/cases/{case}/letter.txt")
def letter_file(
    request: Request,
    case: str,
    kind: str,
    text_lang: str = "en",
    country: str = "",
    intimate: bool = False,
    own_photo: bool = False,
    n: Annotated[Sequence[int], Query()] = (),
) -> Response:
    """The letter alone, to be saved."""
    text = (
        case_sessions.opened(request, case)
        .letter(n, kind, text_lang, country, intimate=intimate, own_photo=own_photo)
        .text
    )
    headers = {"Content-Disposition": 'attachment; filename="letter.txt"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)
