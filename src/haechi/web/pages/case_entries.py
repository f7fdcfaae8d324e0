"""What one does with a case: add a file, keep a result, see a stored report, look for copies, write."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from haechi.case import COUNTRIES, KINDS, Case, Match, Skipped
from haechi.case import words as case_words
from haechi.case.letter import country_of
from haechi.errors import UsageError
from haechi.report import html
from haechi.settings import LANGUAGES
from haechi.types import Report
from haechi.web import uploads, words
from haechi.web.api import done
from haechi.web.jobs.store import JobStore
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.cases import create, passphrase_problem
from haechi.web.pages.help import guess
from haechi.web.pages.render import language, page, problem_words
from haechi.web.pages.result import RESULT_SCRIPT, arranged
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False, route_class=CaseRoute)

NEW = "new"
_NUMBER = re.compile(r"[0-9]{1,9}")
#: Letters call the United Kingdom otherwise than ISO 3166 does.
_ISO = {"UK": "GB"}


@router.get("/cases/{case}/add")
def add_form(request: Request, case: str) -> Response:
    """The form for one more file."""
    return page(request, "case_add.html", ident=case, title=case_sessions.opened(request, case).title)


@router.post("/cases/{case}/add")
async def add(request: Request, case: str) -> Response:
    """Store one more file."""
    open_case = await run_in_threadpool(case_sessions.opened, request, case)
    async with _received(request) as (form, file):
        number = await run_in_threadpool(_store, request.app.state.jobs, open_case, file, form, None)
    return RedirectResponse(f"/cases/{case}?added={number}", 303)


@router.get("/checks/{id}/case")
def keep_form(request: Request, id: str) -> Response:  # noqa: A002
    """The form that makes evidence of a result."""
    report = done(request, id)
    return _keep_page(request, id, report)


@router.post("/checks/{id}/case")
async def keep(request: Request, id: str) -> Response:  # noqa: A002
    """Store the file of a result, which the browser sends once more, with the report."""
    report = await run_in_threadpool(done, request, id)
    async with _received(request) as (form, file):
        return await run_in_threadpool(_store_result, request, id, report, form, file)


def _store_result(request: Request, id_: str, report: Report, form: uploads.Form, file: Path) -> Response:
    values = form.fields
    if _sha256(file) != report.media.sha256:
        return _keep_page(request, id_, report, "other_file", values)
    ident = values.get("case", NEW)
    if ident == NEW:
        error = passphrase_problem(values.get("passphrase", ""), values.get("again", ""))
        if error:
            return _keep_page(request, id_, report, error, values)
        case = create(request, values.get("title", ""), values.get("passphrase", ""))
        ident = case.folder.name
    else:
        case = case_sessions.opened(request, ident)
    number = _store(request.app.state.jobs, case, file, form, report)
    response = RedirectResponse(f"/cases/{ident}?added={number}", 303)
    case_sessions.unlock(request, response, ident, case)
    return response


def _keep_page(
    request: Request, id_: str, report: Report, error: str = "", values: dict[str, str] | None = None
) -> Response:
    cases = [case for case in case_sessions.listed(request) if case.state != "damaged"]
    ready = [case.ident for case in cases if case.state == "open"]
    chosen = (values or {}).get("case", "")
    return page(
        request,
        "keep.html",
        status=422 if error else 200,
        id=id_,
        name=report.media.name,
        cases=cases,
        chosen=chosen if chosen in (*ready, NEW) else next(iter(ready), NEW),
        error=problem_words(request, error) if error else "",
        values=values or {},
        script={
            "add_file_here": words.catalogue(language(request))["add_file_here"],
            "problem_offline": problem_words(request, "offline"),
        },
    )


@router.get("/cases/{case}/match")
def match_form(request: Request, case: str) -> Response:
    """The form for files found elsewhere."""
    case_sessions.opened(request, case)
    return _match_page(request, case, ())


@router.post("/cases/{case}/match")
async def match(request: Request, case: str) -> Response:
    """Whether one file is a copy of something in the case. The script sends many, one after another."""
    open_case = await run_in_threadpool(case_sessions.opened, request, case)
    async with _received(request) as (form, file):
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
    """The form for a letter, and below it the letter."""
    open_case = case_sessions.opened(request, case)
    lang = language(request)
    written = text_lang if text_lang in LANGUAGES else lang
    text = open_case.letter(n, kind, written, country or "", intimate=intimate) if kind else ""
    return page(
        request,
        "case_letter.html",
        ident=case,
        entries=open_case.entries(),
        kinds=[(code, words.say(f"letter_kind_{code.replace('-', '_')}", lang)) for code in KINDS],
        countries=[(code, words.say(f"country_{_ISO.get(code, code)}", lang)) for code in COUNTRIES],
        kind=kind,
        written=written,
        country=country_of(guess(request) if country is None else country),
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
    named = {"Content-Disposition": 'attachment; filename="letter.txt"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=named)


# Last: what follows a case's address and is none of the words above.


@router.get("/cases/{case}/{number}")
def entry(request: Request, case: str, number: str) -> Response:
    """The report that was stored with an entry."""
    report = _report(case_sessions.opened(request, case), number)
    lang = language(request)
    return page(
        request,
        "entry.html",
        ident=case,
        number=number,
        rules=f"/cases/{case}/{number}/report.css",
        script={key: words.catalogue(lang)[key] for key in RESULT_SCRIPT},
        **arranged(request, report),
    )


@router.get("/cases/{case}/{number}/report.css")
def entry_rules(request: Request, case: str, number: str) -> Response:
    """The style rules of that report alone."""
    return Response(html.rules(_report(case_sessions.opened(request, case), number)), media_type="text/css")


def _report(case: Case, number: str) -> Report:
    try:
        # Python refuses to read numbers of thousands of digits.
        report = case.report(case.entry(int(number))) if _NUMBER.fullmatch(number) else None
    except UsageError:
        report = None
    if report is None:
        raise Problem("not_found", "No report is stored with this entry.")
    return report


def _store(jobs: JobStore, case: Case, file: Path, form: uploads.Form, report: Report | None) -> int:
    values = form.fields
    entry = case.add(
        file,
        name=form.name or "",
        address=values.get("address", "").strip(),
        note=values.get("note", "").replace("\r\n", "\n").strip(),  # as browsers send line breaks
        report=report,
        minor=uploads.switch(values, "minor"),
    )
    if entry.minor:  # hashes alone are kept: no preview in a result either
        jobs.drop_file(entry.sha256)
    return entry.number


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[tuple[uploads.Form, Path]]:
    """A form with one file, held to the limits of uploads; the file is gone when the context ends."""
    jobs: JobStore = request.app.state.jobs
    boundary = uploads.boundary_of(request)
    with jobs.part() as file:
        most_bytes = request.app.state.options.max_upload_bytes
        form = await uploads.receive(request.stream(), boundary, file, most_bytes)
        if not form.name or not form.size:
            raise Problem("no_file", "Choose a file first.")
        yield form, file


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
