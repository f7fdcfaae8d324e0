"""Age and country: asked once in a visit, before any advice, by a form that works without JavaScript; and
what is right for both."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from haechi import helplines, laws, platforms
from haechi.web.answers import Answers, answers_of, book, parsed
from haechi.web.pages.render import language
from haechi.web.sessions import caller_of

router = APIRouter(include_in_schema=False)

_BACK = re.compile(r"/help|/checks/[0-9A-Za-z_-]{1,64}(/case)?|/live/clips/[0-9a-f]{32}")
_ANCHOR = "#advice"
_BY_LANGUAGE = {"ko": "KR", "zh": "CN", "ja": "JP", "de": "DE", "fr": "FR", "hi": "IN"}


@router.post("/answers")
def answer(
    request: Request,
    age: Annotated[str, Form()] = "",
    country: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/help",
) -> Response:
    """Remember both answers for this visit and lead back. Without an age the page asks again."""
    to = back if _BACK.fullmatch(back) else "/help"
    answers = parsed(age, country)
    caller = caller_of(request)
    if answers is None:
        return RedirectResponse(f"{to}?ask=true{_ANCHOR}", 303)
    if caller.passes:
        book(request).put(caller.owner, answers)
        return RedirectResponse(to + _ANCHOR, 303)
    return RedirectResponse(f"{to}?{answers.query}{_ANCHOR}", 303)


def questions(request: Request) -> dict[str, Any]:
    """What the templates need of the two questions: the answers, None while they have to be asked, and what
    the form shows at first."""
    answers = answers_of(request)
    code = request.query_params.get("country", "").upper()
    return {
        "answers": None if request.query_params.get("ask") == "true" else answers,
        "first_age": "" if answers is None else answers.age,
        "first_country": code if code in helplines.countries() else guess(request),
        "codes": helplines.countries(),
    }


def advice(answers: Answers) -> dict[str, Any]:
    """What is right for both answers: who helps, what to do, what the law says, where to ask for removal."""
    here = answers.country
    lines = helplines.for_person(here, minor=answers.minor)
    return {
        "country": here,
        "minor": answers.minor,
        "age": laws.of_age(here),
        "own": [line for line in lines if line.country],
        "anywhere": [line for line in lines if not line.country],
        "steps": steps(answers),
        "statements": laws.on_page(here, minor=answers.minor),
        "forms": platforms.forms(),
        "hash_services": platforms.hash_services(minor=answers.minor),
    }


def steps(answers: Answers) -> tuple[str, ...]:
    """Keys of the sentences that say what to do, in their order. No two of them contradict each other, and
    none what the pages say elsewhere."""
    if answers.minor:
        return ("path_minor_none", "path_minor_write", "path_minor_there", "path_no_pay", "path_minor_tell")
    # Of no other country do we know that holding the forgery of an adult is a crime.
    proof = "path_keep_korea" if answers.country == "KR" else "path_keep"
    return (proof, "path_no_forward", "path_no_pay", "path_tell")


def guess(request: Request) -> str:
    """The country that the visitor named, else one of the file that the browser's first language speaks of
    (``en-GB``, ``ko``), else that of the page's language, else none. Never by the visitor's address."""
    answers = answers_of(request)
    if answers is not None:
        return answers.country
    tag = re.split("[,;]", request.headers.get("accept-language", ""))[0].strip().replace("_", "-")
    region = tag.rpartition("-")[2].upper() if "-" in tag else ""
    if region in helplines.countries():
        return region
    return _BY_LANGUAGE.get(tag.lower(), _BY_LANGUAGE.get(language(request), ""))
