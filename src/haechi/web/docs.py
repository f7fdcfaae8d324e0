"""/openapi.json, and /docs: the same as a page of our own, which loads nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from haechi.web.openapi import description
from haechi.web.problem import TITLES

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>REST – Haechi</title>
<link rel="icon" href="/static/seal.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/docs.css">
</head>
<body>
<main>
<h1>{title} {version}: REST</h1>
<p>{description}</p>
<p>For programs: <a href="/openapi.json">openapi.json</a>. Try it:</p>
<pre><code>{example}</code></pre>
{operations}
<section>
<h2>Problems</h2>
<p>Every error is <code>application/problem+json</code> with <code>type</code>, <code>title</code>,
<code>status</code>, <code>detail</code>, <code>instance</code> and the stable <code>code</code>.</p>
<div class="wide"><table>
<thead><tr><th scope="col">code</th><th scope="col">status</th><th scope="col">meaning</th></tr></thead>
<tbody>{problems}</tbody></table></div>
</section>
</main>
</body>
</html>
"""


@router.get("/openapi.json")
def openapi(request: Request) -> Response:
    return JSONResponse(description(request.app))


@router.get("/docs")
def docs(request: Request) -> Response:
    told = description(request.app)
    origin = f"{request.url.scheme}://{request.url.netloc}"
    token = "-H 'Authorization: Bearer TOKEN' " if request.app.state.tokens.needed else ""
    return HTMLResponse(
        _PAGE.format(
            title=escape(told["info"]["title"]),
            version=escape(told["info"]["version"]),
            description=_prose(told["info"]["description"]),
            example=escape(f"curl {token}-H 'Prefer: wait=20' -F file=@photo.jpg {origin}/v1/checks"),
            operations="\n".join(_operations(told["paths"])),
            problems="".join(
                f'<tr id="{code}"><th scope="row"><code>{code}</code></th><td>{status}</td>'
                f"<td>{title}</td></tr>"
                for code, (status, title) in TITLES.items()
            ),
        )
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            inputs = [
                f"<li><code>{escape(p['name'])}</code> ({p['in']}): {_prose(p.get('description', ''))}</li>"
                for p in operation.get("parameters", [])
            ]
            body = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
            inputs += [
                f"<li><code>{escape(name)}</code> (form): {_prose(about.get('description', ''))}</li>"
                for name, about in body.get("schema", {}).get("properties", {}).items()
            ]
            answers = "".join(
                f'<tr><th scope="row">{status}</th><td>{_prose(told["description"])}</td>'
                f"<td><code>{'<br>'.join(map(escape, told.get('content', {})))}</code></td></tr>"
                for status, told in sorted(operation["responses"].items())
            )
            yield (
                f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
                f"<p>{_prose(operation.get('description', ''))}</p>"
                + (f"<ul>{''.join(inputs)}</ul>" if inputs else "")
                + '<div class="wide"><table><thead><tr><th scope="col">status</th>'
                f'<th scope="col">answer</th><th scope="col">type</th></tr></thead><tbody>{answers}</tbody>'
                "</table></div></section>"
            )


def _prose(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))
