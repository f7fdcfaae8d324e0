"""Cases: the list, making, opening and locking one, what is in it, verifying it, handing it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from haechi import helplines
from haechi.case import Case, Entry, qr
from haechi.case import words as case_words
from haechi.errors import CaseError, Locked
from haechi.report import proof
from haechi.report.messages import level_sentence
from haechi.settings import Settings
from haechi.web.pages import case_sessions
from haechi.web.pages.case_route import CaseRoute
from haechi.web.pages.questions import guess
from haechi.web.pages.render import language, page, problem_words

router = APIRouter(include_in_schema=False, route_class=CaseRoute)

LEAST_PASSPHRASE = 8
NEW = "new"


@router.get("/cases")
def cases(request: Request, deleted: str = "") -> Response:
    """All cases of this computer. ``deleted``: the one that was just deleted."""
    folder = case_sessions.remnant(request, deleted)
    return page(
        request, "cases.html", cases=case_sessions.listed(request), deleted=bool(deleted), remnant=folder
    )


@router.get("/cases/new")
def new(request: Request) -> Response:
    """The form for a new case."""
    return page(request, "case_new.html", title="", lock="", error="")


@router.post("/cases")
def make(
    request: Request,
    title: Annotated[str, Form()] = "",
    passphrase: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    lock: Annotated[str, Form()] = "",
) -> Response:
    """Make a case and open it."""
    error = passphrase_problem(passphrase, again, lock)
    if error:
        text = problem_words(request, error)
        return page(request, "case_new.html", status=422, title=title, lock=lock, error=text)
    case = create(request, title, passphrase)
    response = RedirectResponse(f"/cases/{case.folder.name}", 303)
    case_sessions.unlock(request, response, case.folder.name, case)
    return response


def passphrase_problem(passphrase: str, again: str, lock: str) -> str:
    """The code of what is wrong with the answer to who may open a new case; empty when nothing is. There is
    none without a passphrase unless that was chosen (``lock``) and nothing else said."""
    if lock == "none":
        return "both" if passphrase or again else ""
    if not passphrase:
        return "no_passphrase"
    if len(passphrase) < LEAST_PASSPHRASE:
        return "short"
    return "differ" if passphrase != again else ""


def create(request: Request, title: str, passphrase: str) -> Case:
    """A new case in a folder of its own."""
    folder = case_sessions.new_folder(request)
    settings: Settings = request.app.state.settings
    return Case.create(folder, title.strip(), passphrase or None, settings, case_sessions.maker(settings))


def case_choices(request: Request, choice: str) -> dict[str, Any]:
    """What a form that stores something needs of the cases there are; ``choice``: of that form as it came. A
    case that anybody can read is only chosen by the person."""
    cases = [case for case in case_sessions.listed(request) if case.state != "damaged"]
    ready = [case.ident for case in cases if case.state == "open"]
    private = [case.ident for case in cases if case.state == "open" and case.encrypted]
    return {"cases": cases, "chosen": choice if choice in (*ready, NEW) else next(iter(private), NEW)}


def case_for(request: Request, values: Mapping[str, str]) -> Case | str:
    """The case that such a form chose, made where it is a new one, or the code of what is wrong with the
    form. Raises Locked."""
    ident = values.get("case", NEW)
    if ident != NEW:
        return case_sessions.opened(request, ident)
    error = passphrase_problem(*(values.get(name, "") for name in ("passphrase", "again", "lock")))
    return error or create(request, values.get("title", ""), values.get("passphrase", ""))


@router.post("/cases/lock")
def lock_all(request: Request) -> Response:
    """Forget every key; the pages ask for this when they are left in a hurry."""
    case_sessions.sessions(request).lock(request.cookies.get(case_sessions.COOKIE, ""))
    return RedirectResponse("/cases", 303)


@router.get("/cases/{case}")
def show(request: Request, case: str, added: int = 0, deleted: int = 0) -> Response:
    """What is in a case; the form for its passphrase while it is locked. ``added``: the entry just stored,
    ``deleted``: the one of which the file was just deleted."""
    try:
        open_case = case_sessions.opened(request, case)
    except Locked:
        return page(request, "case_unlock.html", ident=case, error="")
    lang = language(request)
    entries = open_case.entries()
    new_entry = next((entry for entry in entries if entry.number == added), None)
    minor = new_entry is not None and new_entry.minor
    return page(
        request,
        "case.html",
        ident=case,
        case=open_case,
        entries=[
            (
                entry,
                _verdict(open_case, entry, lang),
                list(proof.lines(entry.figures, lang)) if entry.figures else [],
            )
            for entry in reversed(entries)
        ],
        added=new_entry,
        deleted=next((entry for entry in entries if entry.number == deleted and entry.deleted), None),
        lines=helplines.for_person(guess(request), minor=True) if minor else (),
    )


def _verdict(case: Case, entry: Entry, lang: str) -> str:
    """The verdict of the report that is stored with an entry, or of its figures; empty without one that can
    be read."""
    if entry.figures is not None:
        return str(entry.figures["sentence"][lang])
    try:
        report = case.report(entry)
    except CaseError:
        return ""  # it was changed since: `verify` says so
    return "" if report is None else level_sentence(report.verdict, lang)


@router.post("/cases/{case}/unlock")
def unlock(request: Request, case: str, passphrase: Annotated[str, Form()] = "") -> Response:
    """Open an encrypted case for a while."""
    folder = case_sessions.folder_of(request, case)
    try:
        settings: Settings = request.app.state.settings
        open_case = Case.open(folder, passphrase, settings, case_sessions.maker(settings))
    except Locked:
        text = problem_words(request, "locked")
        return page(request, "case_unlock.html", status=422, ident=case, error=text)
    response = RedirectResponse(f"/cases/{case}", 303)
    case_sessions.unlock(request, response, case, open_case)
    return response


@router.post("/cases/{case}/lock")
def lock(request: Request, case: str) -> Response:
    """Forget the key."""
    case_sessions.sessions(request).lock(request.cookies.get(case_sessions.COOKIE, ""), case)
    return RedirectResponse("/cases", 303)


@router.get("/cases/{case}/verify")
def verify(request: Request, case: str, head: str = "") -> Response:
    """Compare the folder with its log; needs no passphrase."""
    try:
        open_case = case_sessions.opened(request, case)
    except Locked:
        open_case = Case.open(case_sessions.folder_of(request, case))
    findings = open_case.verify(head.strip())
    lang = language(request)
    lines = [case_words.say(finding.code, lang, **finding.params) for finding in findings]
    notes = [case_words.say(note.code, lang, **note.params) for note in findings.notes]
    if findings.records:
        until = case_words.say("verify_until", lang, records=findings.records, time=findings.until)
        notes.insert(0, until)
    if findings.deleted:
        notes.insert(0, case_words.say("verify_deleted", lang, count=findings.deleted))
    if findings.noted is not None and findings.noted < findings.records:
        after = findings.records - findings.noted
        notes.insert(0, case_words.say("verify_after_noted", lang, count=after))
    return page(
        request,
        "case_verify.html",
        ident=case,
        findings=findings,
        lines=lines,
        notes=notes,
        code=qr.inline(findings.head) if findings.head and qr.available() else None,
        interrupted=case_words.say("verify_interrupted", lang, count=len(lines)),
        head=head.strip(),
    )


@router.get("/cases/{case}/bundle.zip")
def bundle(request: Request, case: str, hashes_only: bool = False) -> Response:
    """One file to hand over, sent as it is made: in the clear it lies nowhere on this disk."""
    open_case = case_sessions.opened(request, case)
    pieces = open_case.bundle_stream(language(request), hashes_only=hashes_only)
    name = "haechi-hashes.zip" if hashes_only else "haechi-case.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)
