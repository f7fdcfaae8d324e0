"""Report -> dict (``haechi.report/1``), text for the terminal, one self-contained HTML file.

    to_dict(report, lang="en") -> dict          every value JSON-ready; sentences in ``lang``
    error_dict(name, error) -> dict             the line in the place of a report that could not be made
    render_text(report, console, lang="en")     prints to a rich console
    render_html(report, lang="en") -> str       a whole page, nothing loaded from outside
    render_proof(report, lang="en") -> str      hashes, times, verdict and figures as text; no picture
    level_sentence(verdict, lang="en") -> str   the verdict in words
    Report                                      with these as its methods
    SCHEMA                                      JSON Schema (draft 2020-12) of both dicts, loaded on first use

``lang`` is en, zh or ko (also as zh-CN, ko_KR, …); any other raises UsageError.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from haechi import types
from haechi.report.data import error_dict, to_dict
from haechi.report.document import Report
from haechi.report.messages import level_sentence
from haechi.settings import LANGUAGES

if TYPE_CHECKING:
    from rich.console import Console

    SCHEMA: dict[str, Any]

__all__ = [
    "LANGUAGES",
    "SCHEMA",
    "Report",
    "error_dict",
    "level_sentence",
    "render_html",
    "render_proof",
    "render_text",
    "to_dict",
]


def render_text(report: types.Report, console: Console, lang: str = "en") -> None:
    """Print the report. Decent at 80 columns, and without colour."""
    from haechi.report.text import print_report

    print_report(report, console, lang)


def render_html(report: types.Report, lang: str = "en") -> str:
    """The report as one HTML file: pictures, styles and script inside; opens from a USB stick."""
    from haechi.report.html import page

    return page(report, lang)


def render_proof(report: types.Report, lang: str = "en") -> str:
    """Hashes, times, the verdict in words and figures, as text: what may be kept where no picture may."""
    from haechi.report.proof import proof

    return proof(report, lang)


@cache
def _schema() -> dict[str, Any]:
    text = files(__name__).joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def __getattr__(name: str) -> Any:
    if name == "SCHEMA":
        return _schema()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
