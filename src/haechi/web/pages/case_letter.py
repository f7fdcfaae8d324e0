"""Letters that ask for removal or report, about entries of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from haechi import helplines
from haechi.case import COUNTRIES, KINDS
from haechi.case.letter import country_of
from haechi.settings import LANGUAGES
from haechi.web import words
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.help import guess
from haechi.web.pages.render import language, page

router = APIRouter(include_in_schema=False, route_class=CaseRoute)

#: Letters call the United Kingdom otherwise than ISO 3166 does.
_ISO = {"UK": "GB"}


@router.get("/cases/{case}/letter")
def letter(
    request: Request,
    case: str,
    kind: str = "",
    text_lang: str = "",
    country: str | None = None,
    intimate: bool = False,
    n: Annotated[Sequence[int], Query()] = (),
) -> Response:
    """The form for a letter, below it the letter, and whom to call in its country."""
    open_case = case_sessions.opened(request, case)
    lang = language(request)
    letter_lang = text_lang if text_lang in LANGUAGES else lang
    text = open_case.letter(n, kind, letter_lang, country or "", intimate=intimate) if kind else ""
    letter_country = country_of(guess(request) if country is None else country)
    here = _ISO.get(letter_country, letter_country)
    return page(
        request,
        "case_letter.html",
        ident=case,
        entries=open_case.entries(),
        kinds=[(code, words.say(f"letter_kind_{code.replace('-', '_')}", lang)) for code in KINDS],
        countries=[(code, words.say(f"country_{_ISO.get(code, code)}", lang)) for code in COUNTRIES],
        kind=kind,
        written=letter_lang,
        country=letter_country,
        lines=helplines.for_country(here),
        elsewhere=helplines.elsewhere(here),
        intimate=intimate,
        numbers=n,
        text=text,
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
    n: Annotated[Sequence[int], Query()] = (),
) -> Response:
    """The letter alone, to be saved."""
    text = case_sessions.opened(request, case).letter(n, kind, text_lang, country, intimate=intimate)
    headers = {"Content-Disposition": 'attachment; filename="letter.txt"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)
