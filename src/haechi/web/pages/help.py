"""Help now: sources of help by country. The country is chosen by a link; at first it is guessed from the
browser's languages, never from the address of the visitor."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from haechi import helplines
from haechi.web.pages.render import language, page

router = APIRouter(include_in_schema=False)

_BY_LANGUAGE = {"ko": "KR", "zh": "CN", "ja": "JP", "de": "DE", "fr": "FR", "hi": "IN"}


@router.get("/help")
def help_now(request: Request, country: str | None = None) -> HTMLResponse:
    """The lines of one country, then those that serve anywhere; those for minors apart, those of other
    countries folded away."""
    codes = helplines.countries()
    code = (country or "").upper()
    here = code if code in codes else "" if country is not None else guess(request)
    lines = helplines.for_country(here)
    return page(
        request,
        "help.html",
        codes=codes,
        country=here,
        own=[line for line in lines if line.country and line.who != "minors"],
        anywhere=[line for line in lines if not line.country and line.who != "minors"],
        minors=helplines.under_18(here),
        elsewhere=helplines.elsewhere(here),
        checked=min(line.checked for line in lines).isoformat(),
    )


def guess(request: Request) -> str:
    """A country of the file that the browser's first language speaks of (``en-GB``, ``ko``), else that of the
    page's language, else none."""
    tag = re.split("[,;]", request.headers.get("accept-language", ""))[0].strip().replace("_", "-")
    region = tag.rpartition("-")[2].upper() if "-" in tag else ""
    if region in helplines.countries():
        return region
    return _BY_LANGUAGE.get(tag.lower(), _BY_LANGUAGE.get(language(request), ""))
