"""Help now: two questions, then who helps and what to do, as it is right for the answers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from haechi import helplines
from haechi.web.pages.questions import advice, questions
from haechi.web.pages.render import page

router = APIRouter(include_in_schema=False)


@router.get("/help")
def help_now(request: Request) -> HTMLResponse:
    """The lines of the visitor's country, then those that serve anywhere, of other countries folded away; all
    of them for the age that was answered. Until both questions are answered only the numbers, folded away."""
    values = questions(request)
    answers = values["answers"]
    if answers is None:
        return page(request, "help.html", elsewhere=helplines.elsewhere(""), **values)
    elsewhere = {
        code: helplines.right_for(lines, minor=answers.minor)
        for code, lines in helplines.elsewhere(answers.country).items()
    }
    return page(request, "help.html", elsewhere=elsewhere, **values, **advice(answers))
