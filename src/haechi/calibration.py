"""From a network's logit to a likelihood ratio that can be believed: calibrated and capped, by the numbers of
the model's card (``models.Calibration``), which the lab fitted on validation data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haechi.models import Calibration
from haechi.types import F64, FaceQuality, Fact, Reason


def llr(logits: F64, quality: FaceQuality, calibration: Calibration) -> F64:
    """Calibrated and capped natural-log likelihood ratios f64 (n,) of logits f64 (n,) of one face."""
    z = np.asarray(logits, np.float64)
    line = next(b for b in calibration.bins if quality.face_px < b.below_px)
    out: F64 = np.clip(line.slope * z + line.intercept, -calibration.cap_against, calibration.cap_for)
    return out


def finding(
    name: str, value: float, face: int, *, genuine: Sequence[float] = (), place: str | None = None
) -> Reason:
    """The sentence for a scored detector: the catalogues turn a ratio below 1 into a finding against.

    ``genuine``: the card's quantiles, from which ``below`` is taken: of 100 genuine faces, how many showed
    less. ``place``: code of the part of the face that stood out, if one did."""
    params: dict[str, Fact] = {"face": face, "ratio": float(np.exp(value))}
    if len(genuine):
        # Quantile k was passed by 100 - k of 100; the strongest of all still leaves one to be mistaken about.
        params["below"] = int(np.clip(np.searchsorted(np.asarray(genuine), value, "left") - 1, 0, 99))
    if place is not None:
        params["place"] = place
    return Reason(f"{name}_scored", params)


def spans(times_s: F64, llrs: F64, above: float = 1.0) -> tuple[tuple[float, float], ...]:
    """Stretches of time in which evidence stays above a mark: neighbouring moments are joined, unless the
    face was away in between (a gap of more than 1.5 times the usual one; gaps need not be even)."""
    out: list[tuple[float, float]] = []
    gaps = np.diff(times_s)
    # The usual gap is the one in which half of the time lies: a dense burst of moments does not set it.
    order = np.sort(gaps)
    usual = float(order[np.searchsorted(order.cumsum(), order.sum() / 2)]) if len(gaps) else 0.0
    joined = False
    for i, (t, hot) in enumerate(zip(times_s, llrs > above, strict=True)):
        if hot and joined and gaps[i - 1] <= 1.5 * usual:
            out[-1] = (out[-1][0], float(t))
        elif hot:
            out.append((float(t), float(t)))
        joined = bool(hot)
    return tuple(out)
