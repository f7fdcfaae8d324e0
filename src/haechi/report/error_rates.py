"""How often forgeries got the level of a verdict in the tests of its card: beside the alarms, the misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haechi.types import Fact, Reason, Report

MANNERS = ("changed", "drawn")
COARSE_JPEG = 60
"""A picture saved at a lower quality is told the figures of pictures saved at 40."""


def hits(report: Report) -> Reason | None:
    """Of 100 forged faces in the tests, how many got this level or, of ``none``, got it all the same: faces
    changed in a picture, and faces drawn as a whole, in pictures compressed like this one. None where nothing
    was judged or the card has no figures."""
    figures = next((m.figures for m in report.models if m.name == "verdict"), {})
    quality = report.quality.jpeg_quality
    return share_of(report.verdict.level, figures, coarse=quality is not None and quality < COARSE_JPEG)


def share_of(level: str, figures: Mapping[str, Any], *, coarse: bool = False) -> Reason | None:
    """The same of a level, by the figures of the card ``verdict``; ``coarse``: in strongly compressed
    pictures."""
    if level == "unknown":
        return None
    damage = "jpeg40" if coarse else "clean"
    by_manner = _mapping(figures.get("found_some" if level == "none" else f"found_{level}"))
    counts: dict[str, Fact] = {}
    for manner in MANNERS:
        share = _mapping(_mapping(by_manner.get(manner)).get(damage)).get("value")
        if not isinstance(share, int | float):
            return None
        counts[manner] = round(100 * (1 - share if level == "none" else share))
    return Reason("forgeries_missed" if level == "none" else "forgeries_found", counts)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def with_hits(report: Report) -> tuple[Reason, ...]:
    """The reasons of the verdict, and after that which tells its level how often forgeries got it."""
    reasons, share = report.verdict.reasons, hits(report)
    if share is None:
        return reasons
    place = next((i for i, r in enumerate(reasons) if r.code.startswith("level_")), -1) + 1
    return (*reasons[:place], share, *reasons[place:])
