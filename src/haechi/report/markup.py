"""Small pieces of HTML that every part of the page uses. Whatever comes from outside goes through ``esc``."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from haechi.report.messages import say, visible
from haechi.types import F32, U8

NONE = ' class="none"'  # a cell with nothing but a dash, left out on narrow screens


def esc(text: object) -> str:
    """Text for HTML, its control and bidirectional characters written out."""
    return html.escape(visible(str(text)))


def words(code: str, lang: str, /, **params: object) -> str:
    """A sentence of the catalogue, for HTML."""
    return esc(say(code, lang, **params))


def part(ident: str, title: str, body: str, *, wide: bool = False, extra: str = "") -> str:
    """A section of the page under its own heading; a landmark for screen readers."""
    classes = " ".join(c for c in ("part", "wide" if wide else "", extra) if c)
    return (
        f'<section class="{classes}" id="{ident}" aria-labelledby="{ident}-title">'
        f'<h2 id="{ident}-title">{esc(title)}</h2><div class="body">{body}</div></section>'
    )


def bullets(lines: Iterable[str], style: str = "") -> str:
    """A list of sentences (plain text)."""
    items = "".join(f"<li>{esc(line)}</li>" for line in lines)
    return f'<ul class="bullets {style}" role="list">{items}</ul>' if items else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, style: str = "", caption: str = "") -> str:
    """A table of HTML cells whose first column heads the rows. On a narrow screen each row becomes a block
    (the roles keep it a table for screen readers, which ``display: block`` would undo)."""
    top = "".join(f'<th scope="col" role="columnheader">{esc(head)}</th>' for head in heads)
    lines = []
    for first, *others in rows:
        cells = "".join(
            f'<td role="cell"{NONE if cell == "–" else ""} data-label="{esc(head)}"><div>{cell}</div></td>'
            for head, cell in zip(heads[1:], others, strict=True)
        )
        lines.append(f'<tr role="row"><th scope="row" role="rowheader">{first}</th>{cells}</tr>')
    told = f"<caption>{esc(caption)}</caption>" if caption else ""
    return (
        f'<table role="table" class="stack {style}">{told}<thead role="rowgroup"><tr role="row">{top}</tr>'
        f'</thead><tbody role="rowgroup">{"".join(lines)}</tbody></table>'
    )


def clock(time_s: float) -> str:
    """A time in a video: ``0:03.2``, ``12:40.0``, ``1:02:03.5``."""
    tenths = round(max(time_s, 0.0) * 10) if math.isfinite(time_s) else 0
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def num(value: float) -> str:
    """A coordinate for SVG: at most two decimals, never NaN."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def jpeg_uri(rgb: U8) -> str:
    """rgb u8 (h, w, 3) as a JPEG data URI."""
    return _uri(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), "image/jpeg", [cv2.IMWRITE_JPEG_QUALITY, 88])


# Where the heat map is 0, 1/2 and 1: yellow, orange, purple. Also ordered in lightness, for the colour-blind.
_RAMP = np.array([[255, 226, 92], [238, 92, 42], [124, 0, 98]], np.float32)
_FLOOR = 0.12  # below this nothing is drawn


def heat_uri(heatmap: F32) -> str:
    """heatmap f32 (h, w) in [0, 1] as a PNG data URI with transparency, smoothed to four times its size."""
    values = np.clip(np.nan_to_num(heatmap), 0.0, 1.0).astype(np.float32)
    grow = max(1, min(4, 512 // max(values.shape)))
    values = np.asarray(cv2.resize(values, None, fx=grow, fy=grow), np.float32)
    at = np.array([0.0, 0.5, 1.0])
    rgba = np.empty((*values.shape, 4), np.float32)
    for i in range(3):
        rgba[..., i] = np.interp(values, at, _RAMP[:, i])
    rgba[..., 3] = 235 * np.clip((values - _FLOOR) / (0.75 - _FLOOR), 0.0, 1.0)
    return _uri(".png", cv2.cvtColor(rgba.round().astype(np.uint8), cv2.COLOR_RGBA2BGRA), "image/png", [])


def _uri(suffix: str, pixels: cv2.typing.MatLike, mime: str, options: list[int]) -> str:
    done, data = cv2.imencode(suffix, pixels, options)
    if not done:
        raise ValueError(f"a picture of shape {pixels.shape} could not be encoded as {mime}")
    return f"data:{mime};base64,{base64.b64encode(data.tobytes()).decode('ascii')}"
