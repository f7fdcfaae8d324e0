"""Deleting a case, or the stored file of one of its entries: first what would be lost, in words, then it."""

from __future__ import annotations

import re
from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from haechi.case import Case, Entry
from haechi.case.removal import remove_case, same_file
from haechi.errors import CaseError, UsageError
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.render import page
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False, route_class=CaseRoute)

_NUMBER = re.compile(r"[0-9]{1,9}")


@router.get("/cases/{case}/delete")
def confirm(request: Request, case: str) -> Response:
    """What is lost with the case. Whoever lost the passphrase, or has a damaged case, can delete it too."""
    case_sessions.folder_of(request, case)
    title, count = "", None
    with suppress(CaseError):  # locked, or damaged
        open_case = case_sessions.opened(request, case)
        title, count = open_case.title, len(open_case.entries())
    return page(request, "case_delete.html", ident=case, title=title, count=count)


@router.post("/cases/{case}/delete")
def delete(request: Request, case: str) -> Response:
    """Delete the case, and close it wherever it is open."""
    folder = case_sessions.folder_of(request, case)
    case_sessions.sessions(request).forget(case)
    remove_case(folder)
    return RedirectResponse(f"/cases?deleted={case}", 303)


@router.get("/cases/{case}/{number}/delete")
def confirm_file(request: Request, case: str, number: str) -> Response:
    """What is lost with one file, and what the log keeps of it."""
    open_case = case_sessions.opened(request, case)
    entry = _entry(open_case, number)
    others = [e.number for e in same_file(open_case.entries(), entry.sha256) if e.number != entry.number]
    return page(request, "case_delete_file.html", ident=case, entry=entry, others=others)


@router.post("/cases/{case}/{number}/delete")
def delete_file(request: Request, case: str, number: str) -> Response:
    """Delete one file."""
    open_case = case_sessions.opened(request, case)
    entry = _entry(open_case, number)
    open_case.delete_file(entry.number)
    return RedirectResponse(f"/cases/{case}?deleted={entry.number}", 303)


def _entry(case: Case, number: str) -> Entry:
    """The entry of that number, with something stored that can be deleted. Raises Problem."""
    try:
        # Python refuses to read numbers of thousands of digits.
        entry = case.entry(int(number)) if _NUMBER.fullmatch(number) else None
    except UsageError:
        entry = None
    if entry is None or not (entry.file or entry.report_file):
        raise Problem("not_found", "No file is stored with this entry.")
    return entry
