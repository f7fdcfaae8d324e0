"""Whether files found elsewhere are copies of something in a case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from haechi.case import Case, Match, Skipped
from haechi.case import words as case_words
from haechi.web import words
from haechi.web.jobs.store import JobStore
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.case_upload import received_file
from haechi.web.pages.render import language, page, problem_words

router = APIRouter(include_in_schema=False, route_class=CaseRoute)


@router.get("/cases/{case}/match")
def match_form(request: Request, case: str) -> Response:
    """The form for files found elsewhere."""
    case_sessions.opened(request, case)
    return _match_page(request, case, ())


@router.post("/cases/{case}/match")
async def match(request: Request, case: str) -> Response:
    """Whether one file is a copy of something in the case. The script sends many, one after another."""
    open_case = await run_in_threadpool(case_sessions.opened, request, case)
    async with received_file(request) as (form, file):
        results = await run_in_threadpool(_matches, request, open_case, file, form.name or "")
    return _match_page(request, case, results)


def _match_page(request: Request, ident: str, results: Sequence[str]) -> Response:
    script = {"problem_offline": problem_words(request, "offline")}
    return page(request, "case_match.html", ident=ident, results=results, script=script)


def _matches(request: Request, case: Case, file: Path, name: str) -> list[str]:
    """A sentence for each entry that the file is a copy of, or one that says there is none."""
    lang = language(request)
    jobs: JobStore = request.app.state.jobs
    with jobs.search(file) as folder:
        answers = list(case.match(folder))
    matches = [_match_sentence(answer, name, lang) for answer in answers if isinstance(answer, Match)]
    if matches:
        return matches
    for answer in answers:
        if isinstance(answer, Skipped):
            why = case_words.say(answer.code, lang, **answer.params)
            return [words.say("match_skipped", lang, file=name, why=why)]
    return [words.say("match_none", lang, file=name)]


def _match_sentence(match: Match, name: str, lang: str) -> str:
    how = [words.say(f"how_{match.how}", lang)]
    how += [words.say("how_mirrored", lang)] if match.mirrored else []
    how += [words.say("how_turned", lang)] if match.turned else []
    return words.say("match_found", lang, file=name, number=match.entry, how=", ".join(how))
