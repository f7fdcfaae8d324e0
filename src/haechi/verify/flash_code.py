"""The colours that the screen shows: a random sequence of one luminance, without saturated red.

Nobody who is sensitive to light may be harmed: WCAG 2.2 (2.3.1) calls a flash a pair of opposing changes of
relative luminance by 10% or more, or one to or from a saturated red (R / (R + G + B) of 0.8 or more), and
allows three within a second. Here luminance never changes, no colour is red enough, and colours change at
most three times a second."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from haechi.types import F64

LUMINANCE = 0.36
"""Relative luminance of every colour: as bright as the darkest of the hues, blue, allows with enough
colour."""
SHORTEST_S, LONGEST_S = 0.34, 0.60
"""How long one colour stays: never so short that more than three changes fall into a second."""
DURATION_S = 6.0
_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])
_STEPS = 1000


def _of_one_luminance(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """The hue, linear RGB in [0, 1], mixed with white or darkened to LUMINANCE."""
    hue = np.array([red, green, blue])
    luminance = float(hue @ _WEIGHTS)
    if luminance >= LUMINANCE:
        hue = hue * (LUMINANCE / luminance)
    else:
        hue = hue + (1 - hue) * (LUMINANCE - luminance) / (1 - luminance)
    return float(hue[0]), float(hue[1]), float(hue[2])


PALETTE: tuple[tuple[float, float, float], ...] = tuple(
    _of_one_luminance(*hue)
    for hue in ((0.0, 0.1, 1.0), (0.0, 1.0, 0.0), (0.9, 0.0, 1.0), (1.0, 0.55, 0.0), (0.0, 0.8, 0.9))
)
"""Linear RGB in [0, 1], as light of the screen: blue, green, magenta, amber, cyan."""


@dataclass(frozen=True, slots=True)
class FlashCode:
    """colours: numbers into PALETTE, no two alike in a row · lasts_s: how long each stays."""

    colours: tuple[int, ...]
    lasts_s: tuple[float, ...]

    @classmethod
    def drawn(cls, duration_s: float = DURATION_S) -> FlashCode:
        """A new one from the randomness of the system, at least ``duration_s`` long."""
        colours, lasts_s = [secrets.randbelow(len(PALETTE))], [_length_s()]
        while sum(lasts_s) < duration_s:
            step = 1 + secrets.randbelow(len(PALETTE) - 1)
            colours.append((colours[-1] + step) % len(PALETTE))
            lasts_s.append(_length_s())
        return cls(tuple(colours), tuple(lasts_s))

    def light(self, times_s: Sequence[float] | F64) -> F64:
        """Linear RGB f64 (n, 3) shown at times since the first colour appeared; the first before it, the last
        after the end."""
        ends_s = list(accumulate(self.lasts_s))
        index = np.searchsorted(ends_s, np.asarray(times_s, np.float64), side="right")
        colours = np.array([PALETTE[c] for c in self.colours])
        light: F64 = colours[np.minimum(index, len(colours) - 1)]
        return light

    @property
    def css(self) -> tuple[str, ...]:
        """The colours as a page writes them, sRGB."""
        return tuple(_css(PALETTE[c]) for c in self.colours)


def _length_s() -> float:
    return SHORTEST_S + (LONGEST_S - SHORTEST_S) * secrets.randbelow(_STEPS + 1) / _STEPS


def _css(linear: tuple[float, float, float]) -> str:
    """IEC 61966-2-1."""
    coded = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in linear]
    return "#" + "".join(f"{round(255 * v):02x}" for v in coded)
