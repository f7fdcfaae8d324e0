"""/login and /logout: a browser shows a token once and gets a session for it, until the person signs out.
A phone brings the code that works once in its address, and a person confirms it: an app that looks at the
address ahead, as some that read QR codes do, does not use it up.
/leave ends it, too, and is there without a token as well: where somebody leaves in a hurry."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from haechi.web.answers import book
from haechi.web.middleware import COOKIE, VISIT_COOKIE, count_guess, secure
from haechi.web.pages import case_sessions
from haechi.web.pages.render import fragment, page
from haechi.web.problem import Problem
from haechi.web.sessions import Sessions, caller_of
from haechi.web.tokens import Tokens

router = APIRouter(include_in_schema=False)

_MOST_BYTES = 4096


@router.get("/login")
def form(request: Request, out: bool = False, code: str = "") -> Response:
    """Ask for the token, where one is needed. ``out``: the person has just signed out. ``code``: the one
    that works once."""
    tokens: Tokens = request.app.state.tokens
    if not tokens.needed:
        return RedirectResponse("/", 303)
    if tokens.once is not None:
        if caller_of(request).session:  # who is in has opened the address again
            return RedirectResponse("/", 303)
        opens = tokens.once.opens(code)
        return _once(request, code if opens else "", wrong=bool(code) and not opens, out=out)
    return page(request, "login.html", wrong=False, out=out)


def _once(request: Request, code: str, *, wrong: bool = False, out: bool = False) -> Response:
    """The page of the code that works once, and the same without it, which opens nothing. It does not tell a
    used code from one that never was any."""
    if wrong:
        count_guess(request.app.state.guesses, request.client.host if request.client else "")
    return page(request, "login_once.html", status=200 if code else 401, code=code, wrong=wrong, out=out)


@router.post("/login")
async def enter(request: Request) -> Response:
    """Compare the token, in constant time, and begin a session."""
    tokens: Tokens = request.app.state.tokens
    sessions: Sessions = request.app.state.sessions
    if not tokens.needed:
        return RedirectResponse("/", 303)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise Problem("bad_request", "This is no token: copy the one that the server printed.")
    token = parse_qs(body.decode("ascii", "replace"), max_num_fields=8).get("token", [""])[-1].strip()
    name = tokens.signed_in(token)
    if name is None and tokens.once is not None:
        return _once(request, "", wrong=True)
    if name is None:
        count_guess(request.app.state.guesses, request.client.host if request.client else "")
        return page(request, "login.html", status=401, wrong=True, out=False)
    sessions.end(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, sessions.begin(name), httponly=True, samesite="strict", secure=secure(request))
    return answer


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """End the session: its results are deleted, its cases locked."""
    return await _ended(request, RedirectResponse("/login?out=true", 303))


@router.post("/leave")
async def leave(request: Request) -> Response:
    """The same for whoever leaves in a hurry, answered with an empty page that leads on to a blank one."""
    return await _ended(
        request, HTMLResponse(fragment(request, "left.html"), headers={"Refresh": "0; url=about:blank"})
    )


async def _ended(request: Request, answer: Response) -> Response:
    """The answer, after the browser's session or visit has ended and all that was sent in it is gone."""
    sessions: Sessions = request.app.state.sessions
    case_sessions.sessions(request).lock(request.cookies.get(case_sessions.COOKIE, ""))
    ended = sessions.end(request.cookies.get(COOKIE, ""))
    for caller in (ended, caller_of(request)):
        if caller is not None and caller.passes:
            sessions.depart(caller.owner)
            book(request).forget(caller.owner)
            request.app.state.clips.forget(caller.owner)
            await run_in_threadpool(request.app.state.jobs.drop_owner, caller.owner)
    for name in (COOKIE, case_sessions.COOKIE, VISIT_COOKIE):
        samesite: Literal["lax", "strict"] = "lax" if name == VISIT_COOKIE else "strict"
        answer.delete_cookie(name, httponly=True, samesite=samesite, secure=secure(request))
    return answer
