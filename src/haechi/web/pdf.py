"""The report as PDF, where WeasyPrint is installed. It is asked to fetch nothing but data URIs.

WeasyPrint draws an SVG apart from the page around it: neither the page's styles nor drawings elsewhere in it
reach inside. So each picture is put back where it is referred to, and each drawing gets the few rules that it
needs, with the colours of the page's print style.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from haechi.web.problem import Problem

# A percentage inside calc() in a transform, by which the number of a face stands above its frame, stops
# WeasyPrint: in the PDF the number stands inside.
_PAGE_RULES = ".tag { transform: none !important } .store { display: none }"

# Widths are in pixels of a preview that is some 1,000 px wide and 90 mm on paper.
_DRAWING_RULES = """
.boxes rect { fill: none } .boxes .halo { stroke: #fff; stroke-width: 11; stroke-opacity: .85 }
.boxes .line { stroke: #14181c; stroke-width: 5; stroke-dasharray: 16 11 }
.boxes .for .line { stroke: #a3271b; stroke-width: 7; stroke-dasharray: none }
.heat { opacity: .8 }
.full { fill: #575e65 } .gap { fill: none; stroke: #fff; stroke-width: 2.2 }
.base { fill: #f4f4f4 } .pro { fill: #a3271b } .con { fill: #2c5474 }
.axis { fill: none; stroke: #888; stroke-width: 1 } .grid { stroke: #ccc; stroke-width: 1 }
.s0, .s1, .s2, .s3 { fill: none; stroke-width: 2.4 } .s0 { stroke: #a3271b } .s1 { stroke: #2c5474 }
.s2 { stroke: #855100 } .s3 { stroke: #5a4f68 } .span { fill: #a3271b; fill-opacity: .13 }
.mark { stroke: #444; stroke-width: 2 } .cursor { display: none }
"""
_SEAL_RULES = "rect { fill: #a3271b } path, circle { fill: #fffaf0 } .stroke { fill: none; stroke: #fffaf0 }"


def pdf(html: str) -> bytes:
    """A PDF of the page of ``haechi.report.render_html``, by its print style. Raises Problem where none can
    be made."""
    try:
        weasyprint: Any = import_module("weasyprint")
    except (ImportError, OSError):  # OSError: its libraries of the system are missing
        raise Problem(
            "no_pdf",
            "This server makes no PDF: install WeasyPrint on it, or open report.html and print it to a file.",
        ) from None
    fetch = _fetcher(weasyprint)
    style = weasyprint.CSS(string=_PAGE_RULES, url_fetcher=fetch)
    document: bytes = weasyprint.HTML(string=_flat(html), url_fetcher=fetch).write_pdf(stylesheets=[style])
    return document


def _flat(html: str) -> str:
    """The page with every drawing complete in itself."""
    pictures = dict(re.findall(r'<image id="(px\d+)"( [^>]*)/>', html))
    html = re.sub(r'<use href="#(px\d+)"/>', lambda m: f"<image{pictures.get(m[1], '')}/>", html)

    def styled(match: re.Match[str]) -> str:
        rules = _SEAL_RULES if 'class="seal"' in match[0] else _DRAWING_RULES
        return f"{match[0]}<style>{rules}</style>"

    return re.sub(r"<svg\b[^>]*>", styled, html)


def _fetcher(weasyprint: Any) -> Any:
    """What fetches data URIs and refuses all else; a class since WeasyPrint 68, a function before."""
    if hasattr(weasyprint, "URLFetcher"):
        return weasyprint.URLFetcher(allowed_protocols=("data",), allow_redirects=False)

    def fetch(url: str, *rest: object, **more: object) -> Any:
        if not url.startswith("data:"):
            raise ValueError("nothing is fetched")
        return weasyprint.default_url_fetcher(url, *rest, **more)

    return fetch
