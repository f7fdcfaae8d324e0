"""/openapi.json, and /docs: the same as a page of our own, which loads nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from haechi.report.templating import environment
from haechi.web.openapi import description
from haechi.web.problem import TITLES

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    return JSONResponse(description(request.app))


@router.get("/docs")
def docs(request: Request) -> Response:
    api = description(request.app)
    origin = f"{request.url.scheme}://{request.url.netloc}"
    token = "-H 'Authorization: Bearer TOKEN' " if request.app.state.tokens.needed else ""
    template = environment("haechi.web").get_template("docs.html")
    return HTMLResponse(
        template.render(
            title=api["info"]["title"],
            version=api["info"]["version"],
            description=api["info"]["description"],
            example=f"curl {token}-H 'Prefer: wait=20' -F file=@photo.jpg {origin}/v1/checks",
            operations=list(_operations(api["paths"])),
            problems=TITLES,
        )
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield {
                "path": path,
                "method": method.upper(),
                "description": operation.get("description", ""),
                "inputs": list(_inputs(operation)),
                "answers": [
                    (status, answer["description"], list(answer.get("content", {})))
                    for status, answer in sorted(operation["responses"].items())
                ],
            }


def _inputs(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, place and description of everything that an operation takes."""
    for parameter in operation.get("parameters", []):
        yield parameter["name"], parameter["in"], parameter.get("description", "")
    body = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
    for name, field in body.get("schema", {}).get("properties", {}).items():
        yield name, "form", field.get("description", "")
