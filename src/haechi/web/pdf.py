"""The report as PDF, where WeasyPrint is installed. It is asked to fetch nothing but data URIs."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from haechi.web.problem import Problem


def available() -> bool:
    return find_spec("weasyprint") is not None


def pdf(html: str) -> bytes:
    """A PDF of the page, by its print style. Raises Problem where that cannot be made."""
    try:
        weasyprint: Any = import_module("weasyprint")
    except (ImportError, OSError):  # OSError: its libraries of the system are missing
        raise Problem(
            "no_pdf",
            "This server makes no PDF: install WeasyPrint on it, or open report.html and print it to a file.",
        ) from None
    made: bytes = weasyprint.HTML(string=html, url_fetcher=_only_data).write_pdf()
    return made


def _only_data(url: str, *_: object, **__: object) -> Any:
    if not url.startswith("data:"):
        raise ValueError("nothing is fetched")
    return import_module("weasyprint").default_url_fetcher(url)
