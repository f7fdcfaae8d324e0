"""The seal of a case as a QR code: to be photographed or printed, and kept apart from the case."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

from markupsafe import Markup

from haechi.errors import CaseError, UsageError

SUFFIXES = (".png", ".svg")


def available() -> bool:
    """Whether the library is there; it comes with the extra ``case``."""
    return find_spec("segno") is not None


def drawn(head: str, *, coloured: bool) -> str:
    """The seal for a terminal, see ``text_drawn``."""
    return text_drawn(_as_letters(head), coloured=coloured)


def text_drawn(text: str, *, coloured: bool) -> str:
    """Any text for a terminal, in half blocks; ``coloured``: dark on light whatever colours the terminal
    has."""
    out = io.StringIO()
    _code(text).terminal(out, border=2, compact=True)
    lines = out.getvalue().rstrip("\n").split("\n")
    return "\n".join(f"\x1b[97;40m{line}\x1b[0m" for line in lines) if coloured else "\n".join(lines)


def image(head: str, suffix: str) -> bytes:
    """A PNG or an SVG. Raises UsageError for another suffix."""
    if suffix.lower() not in SUFFIXES:
        raise UsageError(f"--out: a QR code is written as {' or '.join(SUFFIXES)}: end the name so.")
    out = io.BytesIO()
    _code(_as_letters(head)).save(out, kind=suffix.lower()[1:], scale=8, border=4, light="white")
    return out.getvalue()


def inline(head: str) -> Markup:
    """An SVG element to stand in a page: dark on white also where the page is dark."""
    svg: str = _code(_as_letters(head)).svg_inline(
        scale=4, border=4, light="white", svgclass=None, lineclass=None
    )
    return Markup(svg)  # drawn by segno: paths of numbers, no text


def _as_letters(head: str) -> str:
    """Capital letters need fewer dots, and ``verify --head`` takes them."""
    return head.upper()


def _code(text: str) -> Any:
    try:
        import segno
    except ImportError:
        raise CaseError("QR codes need the library `segno`: pip install 'haechi[case]'") from None
    return segno.make_qr(text, error="m")
