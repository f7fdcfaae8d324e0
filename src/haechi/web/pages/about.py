"""What Haechi keeps and for how long, what it is good for, and what it is not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from haechi.web.pages.render import page

router = APIRouter(include_in_schema=False)


@router.get("/about")
def about(request: Request) -> HTMLResponse:
    """Privacy, limits, licence."""
    options = request.app.state.options
    return page(request, "about.html", minutes=max(1, round(options.keep_s / 60)))
