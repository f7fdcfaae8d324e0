"""Who may ask, how much at a time, and the headers of every answer: pure ASGI, so that bodies stream through.

In this order: who really asks, where a trusted proxy stands before us; the Host header (a page that rebinds
its own name to 127.0.0.1 is turned away); the origin of requests that change something (CSRF); the declared
length; the token, or the session of a browser that showed one. While a body is read: its length, and that it
keeps coming.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from haechi.server_options import Options, networks
from haechi.web.metrics import Metrics
from haechi.web.problem import Problem
from haechi.web.proxy import unwrapped
from haechi.web.rate_limit import RateLimiter
from haechi.web.sessions import Caller, Sessions
from haechi.web.tokens import Tokens
from haechi.web.uploads import OVERHEAD_BYTES, declared_bytes, too_large

COOKIE, VISIT_COOKIE = "haechi", "haechi_visit"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: with it browsers send `Origin: null` for our own forms, which then look foreign.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cache-control": "no-store",
}
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
_ENTRANCE = ("/login", "/logout", "/leave")
_OPEN = ("/healthz", "/readyz", *_ENTRANCE)
_VISIT = re.compile(r"[0-9a-f]{32}")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_LEAST_BYTES_S = 4096


class AccessMiddleware:
    """Wraps the application. ``answer`` tells a problem to whoever asked, a person or a program. What it lets
    through carries its ``Caller`` as ``request.state.caller``, and as ``caller_now`` what tells who it is
    later on: None, or another, when the session has ended."""

    def __init__(
        self,
        app: ASGIApp,
        options: Options,
        metrics: Metrics,
        guesses: RateLimiter,
        tokens: Tokens,
        sessions: Sessions,
        answer: Callable[[Request, Problem], Response],
    ) -> None:
        self._app, self._options, self._metrics, self._guesses = app, options, metrics, guesses
        self._tokens, self._sessions, self._answer = tokens, sessions, answer
        self._proxies = networks(options.trusted_proxy)
        self._open = (
            _ENTRANCE if options.lan else _OPEN
        )  # nobody in the network watches over a phone's server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = unwrapped(scope, self._proxies)
        # A WebSocket is opened by GET (RFC 6455, 4.1), but does more than reading.
        send = self._with_headers(scope.get("method", "GET"), send)
        headers = Headers(scope=scope)
        try:
            refused = self._refused(scope, headers)
        except Problem as problem:
            is_page = scope["type"] == "http"
            refused = self._answer(Request(scope), problem) if is_page else problem.response(scope["path"])
        if scope["type"] == "websocket":
            if refused is not None:
                await WebSocket(scope, receive, send).send_denial_response(refused)
                return
            await self._app(scope, receive, send)
            return
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._app(scope, _Body(receive, headers, self._options), send)

    def _with_headers(self, method: str, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._metrics.answered(method, message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        return guarded

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """What is answered at once instead of letting the request through. Raises Problem."""
        host = headers.get("host", "")
        if self._options.personal and _hostname(host) not in (*_LOCAL_NAMES, self._options.host.lower()):
            raise Problem("wrong_host", "This is no name of this server: open the address that it printed.")
        method: str = scope.get("method", "")
        if method not in _SAFE:
            self._check_origin(scope, headers, host)
        if declared_bytes(headers) > self._options.max_upload_bytes + OVERHEAD_BYTES:
            raise too_large(self._options.max_upload_bytes)
        path: str = scope["path"]
        caller = self._caller(headers)
        state = {"caller": caller or Caller(""), "caller_now": lambda: self._caller(headers)}
        scope["state"] = {**scope.get("state", {}), **state}
        if caller is not None or path in self._open or path.startswith("/static/"):
            return None
        if "authorization" in headers:
            count_guess(self._guesses, scope["client"][0] if scope.get("client") else "")
        if method == "GET" and "text/html" in headers.get("accept", "") and path[:4] != "/v1/":
            return RedirectResponse("/login", 303)
        raise Problem(
            "token_needed",
            "Send the token that the server printed at its start as `Authorization: Bearer TOKEN`.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _caller(self, headers: Headers) -> Caller | None:
        """Who asks; None when a token is needed and was not shown."""
        if not self._tokens.needed:
            return self._visitor(_cookies(headers).get(VISIT_COOKIE, ""))
        kind, _, token = headers.get("authorization", "").partition(" ")
        name = self._tokens.name_of(token.strip()) if kind.lower() == "bearer" else None
        return Caller(name) if name is not None else self._sessions.caller(_cookies(headers).get(COOKIE, ""))

    def _visitor(self, cookie: str) -> Caller:
        """Who asks where no token is needed; a visit that has ended is none."""
        caller = Caller("", visit=cookie if _VISIT.fullmatch(cookie) else "")
        return Caller("", visit="") if self._sessions.departed(caller.owner) else caller

    def _check_origin(self, scope: Scope, headers: Headers, host: str) -> None:
        """Browsers say where a request comes from; what only programs send has neither header."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        foreign = site not in (None, "same-origin", "none")
        if origin is not None and origin.lower() != f"{scope['scheme']}://{host}".lower():
            # Behind a proxy that speaks TLS the scheme differs, never the name and port.
            foreign = foreign or origin.partition("://")[2].lower() != host.lower()
        if foreign:
            raise Problem("cross_site", "Another site asked for this in your browser: it was not done.")


class _Body:
    """The ``receive`` of a request that holds the sender to its limits. Raises Problem."""

    def __init__(self, receive: Receive, headers: Headers, options: Options) -> None:
        self._receive = receive
        self._most = options.max_upload_bytes + OVERHEAD_BYTES
        self._most_file, self._idle_s = options.max_upload_bytes, options.idle_s
        self._whole_s = options.upload_s
        self._n_bytes, self._start = 0, time.monotonic()
        self._open = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    async def __call__(self) -> Message:
        if not self._open:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._idle_s)
        except TimeoutError:
            raise _too_slow() from None
        self._n_bytes += len(message.get("body", b""))
        self._open = bool(message.get("more_body", False))
        if self._n_bytes > self._most:
            raise too_large(self._most_file)
        taken_s = time.monotonic() - self._start
        crept = taken_s - self._idle_s > self._n_bytes / _LEAST_BYTES_S
        if self._open and (crept or taken_s > self._whole_s):
            raise _too_slow()
        return message


def _too_slow() -> Problem:
    return Problem(
        "too_slow",
        "The upload stood still or crept, so it was cut off: try again over a better connection.",
        headers={"Connection": "close"},
    )


def _hostname(host: str) -> str:
    """The name or address of a Host header, without its port; empty when it makes no sense."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def count_guess(guesses: RateLimiter, client: str) -> None:
    """Count a wrong token, and only a wrong one: who shows the right one is let in however many others behind
    the same proxy guess. Raises Problem when there were too many."""
    wait_s = guesses.take(client)
    if wait_s > 0:
        raise Problem(
            "rate_limited",
            "Too many wrong tokens came from this address: wait a minute.",
            headers={"Retry-After": str(max(1, round(wait_s)))},
        )


def secure(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy: then a cookie is never sent without."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def _cookies(headers: Headers) -> dict[str, str]:
    pairs: Iterable[list[str]] = (part.strip().split("=", 1) for part in headers.get("cookie", "").split(";"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
