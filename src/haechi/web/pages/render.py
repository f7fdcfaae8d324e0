"""From a request to a page: its language, its template, and the headers that every page carries."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from haechi.report.data import tool_version
from haechi.report.templating import HTML_LANG, environment
from haechi.web import words
from haechi.web.language import COOKIE, accepted, asked
from haechi.web.middleware import VISIT_COOKIE, secure
from haechi.web.problem import Problem
from haechi.web.sessions import Caller, caller_of

_NAMES: Mapping[str, str] = {"en": "English", "zh": "简体中文", "ko": "한국어"}


def language(request: Request) -> str:
    """The language of the page that answers this request: en, zh or ko. A page, unlike a program, is not
    turned away for asking for another."""
    try:
        return asked(request)
    except Problem:
        return accepted(request.headers.get("accept-language", ""), "en")


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The template as a page. It is never kept by the browser: what it shows may be somebody's worst day."""
    html = fragment(request, template, **values)
    response = HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})
    if request.query_params.get("lang"):
        # A cookie of the session: on a shared computer no trace of this stays behind.
        lang = language(request)
        response.set_cookie(COOKIE, lang, httponly=True, samesite="strict", secure=secure(request))
    if status == 200 and caller_of(request).visit == "":
        # Sent also when a link of another site leads here: otherwise a second visit would begin, and leaving
        # would not delete what belongs to the first.
        visit = secrets.token_hex(16)
        response.set_cookie(VISIT_COOKIE, visit, httponly=True, samesite="lax", secure=secure(request))
    return response


def fragment(request: Request, template: str, **values: Any) -> Markup:
    """The template filled, with what every template of ours may use."""
    lang = language(request)
    signed_in = bool(getattr(request.state, "caller", Caller("")).session)

    def w(key: str, /, **gaps: object) -> str:
        return words.say(key, lang, **gaps)

    return Markup(
        environment("haechi.web")
        .get_template(template)
        .render(
            w=w,
            lang=lang,
            html_lang=HTML_LANG.get(lang, lang),
            languages=[(code, HTML_LANG.get(code, code), name) for code, name in _NAMES.items()],
            here=request.url.path,
            in_language=lambda code: _in_language(request, code),
            local=bool(request.app.state.options.private),
            personal=personal(request),
            signed_in=signed_in,
            shut=bool(request.app.state.options.lan) and not signed_in,
            version=tool_version(),
            **values,
        )
    )


def personal(request: Request) -> bool:
    """Whether the server is one person's alone, at this computer or on their phone."""
    return bool(request.app.state.options.personal)


def _in_language(request: Request, code: str) -> str:
    """The address of the same page in another language."""
    query = [(name, value) for name, value in parse_qsl(request.url.query) if name != "lang"]
    return f"{request.url.path}?{urlencode([*query, ('lang', code)])}"


def problem(request: Request, error: Problem) -> HTMLResponse:
    """A page that says what went wrong and what to do, in the words of the code."""
    answer = page(request, "problem.html", status=error.status, text=problem_words(request, error.code))
    answer.headers.update(error.headers)
    return answer


def problem_words(request: Request, code: str) -> str:
    """The sentence for a code of the family ``problem_``."""
    key = code if code in words.FAMILIES["problem_"] else "bad_request"
    megabytes = request.app.state.options.max_upload_bytes // 1024**2
    return words.say(f"problem_{key}", language(request), megabytes=megabytes)


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks, rather than a program."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")
