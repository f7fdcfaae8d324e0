"""The entries of a case: add a file, keep a result, see a stored report."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from haechi import laws
from haechi.case import Case
from haechi.errors import UsageError
from haechi.report import html
from haechi.types import Report
from haechi.web import uploads, words
from haechi.web.answers import answers_of, of_minor
from haechi.web.api import done
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.case_upload import received_file
from haechi.web.pages.cases import case_choices, case_for
from haechi.web.pages.questions import guess, questions
from haechi.web.pages.render import language, page, problem_words
from haechi.web.pages.result import RESULT_SCRIPT, arranged, may_see
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False, route_class=CaseRoute)

_NUMBER = re.compile(r"[0-9]{1,9}")


@router.get("/cases/{case}/add")
def add_form(request: Request, case: str) -> Response:
    """The form for one more file."""
    title = case_sessions.opened(request, case).title
    return page(request, "case_add.html", ident=case, title=title, answers=answers_of(request))


@router.post("/cases/{case}/add")
async def add(request: Request, case: str) -> Response:
    """Store one more file."""
    open_case = await run_in_threadpool(case_sessions.opened, request, case)
    async with received_file(request) as (form, file):
        number = await run_in_threadpool(_store, request, open_case, file, form)
    return RedirectResponse(f"/cases/{case}?added={number}", 303)


@router.get("/checks/{id}/case")
def keep_form(request: Request, id: str) -> Response:  # noqa: A002
    """The form that makes evidence of a result; first two questions, which decide what may be stored."""
    report = done(request, id)
    values = questions(request)
    if values["answers"] is None:
        return page(request, "keep_first.html", back=f"/checks/{id}/case", **values)
    return _keep_page(request, id, report)


@router.post("/checks/{id}/case")
async def keep(request: Request, id: str) -> Response:  # noqa: A002
    """Store the file of a result, which the browser sends once more, with the report."""
    report = await run_in_threadpool(done, request, id)
    async with received_file(request) as (form, file):
        return await run_in_threadpool(_store_result, request, id, report, form, file)


def _store_result(request: Request, id_: str, report: Report, form: uploads.Form, file: Path) -> Response:
    values = form.fields
    if _sha256(file) != report.media.sha256:
        return _keep_page(request, id_, report, "other_file", values)
    case = case_for(request, values)
    if isinstance(case, str):
        return _keep_page(request, id_, report, case, values)
    number = _store(request, case, file, form, report)
    response = RedirectResponse(f"/cases/{case.folder.name}?added={number}", 303)
    case_sessions.unlock(request, response, case.folder.name, case)
    return response


def _keep_page(
    request: Request, id_: str, report: Report, error: str = "", values: dict[str, str] | None = None
) -> Response:
    """``values``: of the form as it came."""
    return page(
        request,
        "keep.html",
        status=422 if error else 200,
        id=id_,
        name=report.media.name,
        **case_choices(request, (values or {}).get("case", "")),
        error=problem_words(request, error) if error else "",
        values=values or {},
        answers=answers_of(request),
        script={
            "add_file_here": words.catalogue(language(request))["add_file_here"],
            "problem_offline": problem_words(request, "offline"),
        },
    )


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
        age=laws.of_age(guess(request)),
        script={key: words.catalogue(lang)[key] for key in RESULT_SCRIPT},
        **arranged(request, report),
    )


@router.get("/cases/{case}/{number}/report.css")
def entry_rules(request: Request, case: str, number: str) -> Response:
    """The style rules of that report alone."""
    report = may_see(request, _report(case_sessions.opened(request, case), number))
    return Response(html.rules(report), media_type="text/css")


def _report(case: Case, number: str) -> Report:
    try:
        # Python refuses to read numbers of thousands of digits.
        report = case.report(case.entry(int(number))) if _NUMBER.fullmatch(number) else None
    except UsageError:
        report = None
    if report is None:
        raise Problem("not_found", "No report is stored with this entry.")
    return report


def _store(request: Request, case: Case, file: Path, form: uploads.Form, report: Report | None = None) -> int:
    """The number of the new entry. Whoever said that the picture shows a minor, here or before, has no copy
    stored."""
    values = form.fields
    entry = case.add(
        file,
        name=form.name or "",
        address=values.get("address", "").strip(),
        note=values.get("note", "").replace("\r\n", "\n").strip(),  # as browsers send line breaks
        report=report,
        minor=of_minor(request) or uploads.switch(values, "minor"),
    )
    if entry.minor:  # hashes alone are kept: no preview in a result either
        request.app.state.jobs.drop_file(entry.sha256)
    return entry.number


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
