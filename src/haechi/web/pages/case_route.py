"""How the pages of cases answer what goes wrong: with the form for the passphrase, or a page in words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute

from haechi.errors import CaseError, HaechiError, InputError, Locked, UsageError
from haechi.web.pages.render import page, personal, problem_words
from haechi.web.problem import Problem


class CaseRoute(APIRoute):
    """A route that exists for one person only, at this computer or on their phone: a case is their private
    folder."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if not personal(request):
                raise Problem("not_found", "Cases are kept on one's own computer only.")
            try:
                return await inner(request)
            except Locked:
                ident = request.path_params.get("case", "")
                return RedirectResponse(f"/cases/{ident}" if ident else "/cases", 303)
            except (CaseError, UsageError, InputError) as error:
                return _problem_page(request, error)

        return handler


def _problem_page(request: Request, error: HaechiError) -> Response:
    return page(request, "problem.html", status=422, text=problem_words(request, error.code))
