"""Numbers as the pages of a report write them."""

from __future__ import annotations

import math


def clock(time_s: float) -> str:
    """A time in a video: ``0:03.2``, ``12:40.0``, ``1:02:03.5``."""
    tenths = round(max(time_s, 0.0) * 10) if math.isfinite(time_s) else 0
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def clock_range(start_s: float, end_s: float) -> str:
    """A stretch of a video: ``0:03.2–0:05.0``."""
    return f"{clock(start_s)}–{clock(end_s)}"


def coordinate(value: float) -> str:
    """A coordinate for SVG: at most two decimals, never NaN."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"
