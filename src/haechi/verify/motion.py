"""How far a movement has got in each frame, against the pose at rest in which it began."""

from __future__ import annotations

import numpy as np

from haechi.head import yaw_deg
from haechi.types import F32, F64

REST_S = 0.35
"""The first moments, before anybody can have read what is asked: the pose at rest."""


def from_rest(values: F64, times_s: F64) -> F64:
    """f64 (K,): less what they are at rest, the median over the first moments in which there is a face."""
    return values - at_rest(values, times_s)


def at_rest(values: F64, times_s: F64) -> float:
    """NaN where there never is a face."""
    fine = np.isfinite(values)
    first_s = float(times_s[fine][0]) if fine.any() else 0.0
    return float(np.median(values[fine & (times_s <= first_s + REST_S)])) if fine.any() else float("nan")


AGREE_DEG = 12.0
"""From here on the skin itself has turned; below, what the finder draws may be its own idea: of heads that
nod it draws some turned by 17 degrees, a bent print by 21, while the skin says 10 and 7."""


def turned_deg(carried_xy: F32, found_xy: F32, times_s: F64) -> F64:
    """f64 (K,): how far the head f32 (K, 5, 2) is turned from rest, positive towards the subject's left, by
    the landmarks that the skin carries and by those that the finder drew: by whichever shows more, where both
    say the same side, or the skin is lost from sight.

    Each misses turns that the other sees: a finder draws landmarks as most faces have them, and what is
    carried is left behind where the skin turns out of sight."""
    by_skin, by_finder = (from_rest(yaw_deg(marks), times_s) for marks in (carried_xy, found_xy))
    agree = (np.abs(by_skin) >= AGREE_DEG) & (by_skin * by_finder > 0)
    more = agree & (np.abs(by_finder) > np.abs(by_skin))
    out: F64 = np.where(np.isnan(by_skin) | more, by_finder, by_skin)
    return out
