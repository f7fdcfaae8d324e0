"""Which of our languages a request wants."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from haechi.settings import LANGUAGES, short_tag
from haechi.web.problem import Problem

COOKIE = "lang"


def asked(request: HTTPConnection) -> str:
    """``?lang=`` first, then the cookie of the language switch, then Accept-Language, then the setting.
    Raises Problem for a ``lang`` that is none of ours."""
    query = request.query_params.get("lang")
    if query is not None:
        if short_tag(query) not in LANGUAGES:
            raise Problem("invalid", f"`lang` is none of {', '.join(LANGUAGES)}: choose one of them.")
        return short_tag(query)
    tag = short_tag(request.cookies.get(COOKIE, ""))
    if tag in LANGUAGES:
        return tag
    default: str = request.app.state.settings.lang
    return accepted(request.headers.get("accept-language", ""), default)


def accepted(header: str, default: str) -> str:
    """The language that an Accept-Language header (RFC 9110, 12.5.4) likes best among ours."""
    best, weight = default, 0.0
    for entry in header.split(",")[:32]:
        tag, _, rest = entry.strip().partition(";")
        quality = _quality(rest)
        if short_tag(tag.strip()) in LANGUAGES and quality > weight:
            best, weight = short_tag(tag.strip()), quality
    return best


def _quality(text: str) -> float:
    name, _, value = text.replace(" ", "").partition("=")
    if not name:
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name == "q" else 1.0
    except ValueError:
        return 0.0
