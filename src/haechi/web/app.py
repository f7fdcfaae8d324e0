"""Puts the parts together: ``build(options, settings)`` is the whole application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from haechi.report.data import tool_version
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.web import api, docs, health, login, openapi, pages
from haechi.web.answers import AnswerBook
from haechi.web.crash_log import log_crash
from haechi.web.jobs.scheduler import Scheduler
from haechi.web.jobs.store import JobStore
from haechi.web.jobs.worker import CheckRunner
from haechi.web.live import route as live
from haechi.web.live.keeping import HeldClips
from haechi.web.live.route import LiveCalls
from haechi.web.live.watch import CallWatcher
from haechi.web.metrics import Metrics
from haechi.web.middleware import AccessMiddleware
from haechi.web.model_integrity import ModelIntegrity
from haechi.web.one_time import OneTimeCode
from haechi.web.pages.case_sessions import CaseSessions
from haechi.web.problem import Problem, internal
from haechi.web.rate_limit import ConcurrencyLimiter, RateLimiter
from haechi.web.sessions import Sessions
from haechi.web.tokens import Tokens
from haechi.web.verify import route as verify
from haechi.web.verify.lookers import MakeLooker
from haechi.web.verify.service import VerificationService

_BURST_S = 6.0
_GUESSES_PER_MIN = 30
_CROWD = 8
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "not_multipart"}


class _App(FastAPI):
    """Whatever escapes is logged by its kind and place alone, and never reaches the server's own log."""

    def openapi(self) -> dict[str, Any]:
        return openapi.description(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await super().__call__(scope, receive, sent)
        except Exception as error:
            log_crash("server", error)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            # The server stops, and this took longer than it waits: no fault of anybody's.
            if not begun:
                await _answer(Request(scope), _stopping())(scope, receive, send)


def build(
    options: Options,
    settings: Settings,
    *,
    make: Callable[[Settings, Path, bool], CheckRunner] | None = None,
    watch: Callable[[Settings, Path], CallWatcher] | None = None,
    look: MakeLooker | None = None,
) -> FastAPI:
    """The application, its data folder opened; the workers start with it. ``make``: see ``Scheduler``;
    ``watch``: see ``LiveCalls``; ``look``: see ``VerificationService``. Raises UsageError when the data
    folder cannot be used."""
    tokens = Tokens(options.token, options.tokens_file, OneTimeCode() if options.lan else None)
    sessions = Sessions(options.session_s, tokens.digest_of)
    jobs, metrics = JobStore(options), Metrics()
    scheduler = Scheduler(jobs, settings, metrics, make)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        scheduler.start()
        yield
        app.state.verify.stop()
        ended = scheduler.stop()
        jobs.tidy()
        if ended:
            jobs.close()

    app = _App(
        title="Haechi",
        version=tool_version(),
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        exception_handlers={
            Problem: _problem,
            HTTPException: _http,
            RequestValidationError: _invalid,
            Exception: _crash,
        },
    )
    app.state.jobs, app.state.scheduler, app.state.metrics = jobs, scheduler, metrics
    app.state.options, app.state.settings, app.state.models = options, settings, ModelIntegrity(settings)
    _limit(app, options)
    app.state.tokens, app.state.sessions, app.state.case_sessions = tokens, sessions, CaseSessions()
    app.state.live = LiveCalls(options.live_calls, settings, jobs.scratch, watch)
    app.state.verify = VerificationService(options, settings, jobs.scratch, look)
    for piece in (api, live, verify, health, docs, login, pages):
        app.include_router(piece.router)
    _mount_static(app)
    app.add_middleware(
        AccessMiddleware,
        options=options,
        metrics=metrics,
        guesses=app.state.guesses,
        tokens=tokens,
        sessions=sessions,
        answer=_answer,
    )
    return app


def _limit(app: FastAPI, options: Options) -> None:
    """What one address may ask for, and what is remembered of a visit."""
    app.state.answers, app.state.clips = AnswerBook(), HeldClips()
    app.state.uploads_rate = RateLimiter(options.rate_per_min, options.rate_per_min * _BURST_S / 60)
    app.state.uploads_slots = ConcurrencyLimiter(options.uploads_per_address)
    app.state.guesses = RateLimiter(_GUESSES_PER_MIN, _GUESSES_PER_MIN)


def _mount_static(app: FastAPI) -> None:
    static = Path(str(files("haechi.web").joinpath("static")))
    if static.is_dir():
        app.mount("/static", StaticFiles(directory=static))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    """What the router refuses."""
    assert isinstance(error, HTTPException)
    detail = {
        404: "There is nothing at this address: see /docs for what there is.",
        405: "This address does not know this method: see /docs for those it knows.",
    }.get(error.status_code, "The request cannot be understood: see /docs.")
    code = _CODES.get(error.status_code, "bad_request")
    return _answer(request, Problem(code, detail, status=error.status_code, headers=error.headers))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = ", ".join(sorted({str(e["loc"][-1]) for e in error.errors() if e.get("loc")}))
    return _answer(request, Problem("invalid", f"Not valid: {names}. See /docs for what is."))


def _stopping() -> Problem:
    return Problem(
        "stopping",
        "The server was stopped before this was done: send it again when it runs.",
        headers={"Connection": "close", "Retry-After": "10"},
    )


async def _crash(request: Request, _: Exception) -> Response:
    return _answer(request, internal())


def _answer(request: Request, problem: Problem) -> Response:
    """A page for a person with a browser, problem+json for a program."""
    if pages.wants_page(request):
        return pages.problem(request, problem)
    return problem.response(request.url.path)
