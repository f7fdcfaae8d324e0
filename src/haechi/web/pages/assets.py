"""The style and the script that the report's own file carries inside, at addresses of their own."""

from __future__ import annotations

from fastapi import APIRouter, Response

from haechi.report import html
from haechi.web.problem import Problem

router = APIRouter(include_in_schema=False)


@router.get("/static/report/{name}")
def report_asset(name: str) -> Response:
    """One of ``html.ASSETS``; the browser asks again each time, so that an update shows at once."""
    if name not in html.ASSETS:
        raise Problem("not_found", "There is nothing at this address: see /docs for what there is.")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(html.asset(name), media_type=kind, headers={"Cache-Control": "no-cache"})
