"""/login: a browser shows the token once and gets a cookie for it, which ends with the browser's session."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from haechi.web.guard import COOKIE, cookie_value, same
from haechi.web.pages.render import page
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False)

_MOST_BYTES = 4096


@router.get("/login")
def form(request: Request) -> Response:
    """Ask for the token. Where none is needed there is nothing to ask."""
    if request.app.state.options.token is None:
        return RedirectResponse("/", 303)
    return page(request, "login.html", wrong=False)


@router.post("/login")
async def enter(request: Request) -> Response:
    """Compare the token, in constant time, and set the cookie."""
    token: str | None = request.app.state.options.token
    if token is None:
        return RedirectResponse("/", 303)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise Problem("bad_request", "This is no token: copy the one that the server printed.")
    client = request.client.host if request.client else ""
    given = parse_qs(body.decode("ascii", "replace"), max_num_fields=8).get("token", [""])[-1].strip()
    wait_s = request.app.state.guesses.take(client)
    if wait_s > 0:
        raise Problem(
            "rate_limited",
            "Too many wrong tokens came from this address: wait a minute.",
            headers={"Retry-After": str(max(1, round(wait_s)))},
        )
    if not same(given, token):
        return page(request, "login.html", status=401, wrong=True)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE, cookie_value(token), httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer
