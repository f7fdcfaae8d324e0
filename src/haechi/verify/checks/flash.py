"""Whether the face gives back the colours that the screen shows: in their order, as late as light, screen and
camera make it, and more than what lies behind it.

With c the colours, averaged over an exposure and divided by their mean, each channel of the face is 1 + s (c
- 1) where s is the share of the light that comes from the screen. Of the three channels two differences are
taken, in which exposure and movement cancel, their slow changes (white balance) are removed, and the three
shares are fitted for every lag. ``agreement`` is the correlation of what was fitted with what was seen.
After Tang et al. 2018 (Face Flashing); what beats it, a face that is lit anew by a program as it is asked,
is told in the docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haechi.types import F64, Reason
from haechi.verify.flash_code import FlashCode
from haechi.verify.seen import Seen
from haechi.verify.types import CheckOutcome, CheckResult

NAME = "flash"
LEAST_SHARE = 0.02
"""Of the light on the face; below it the screen cannot be told from noise, or from a face that does not
answer."""
LEAST_SWING = 0.02
"""How much the colour of the face changed at all, root mean square of both differences: more than noise and
movement do under a light that does not change."""
LEAST_AGREEMENT = 0.75
LEAST_LAG_S, MOST_LAG_S = 0.0, 0.40
LAG_ERROR_S = 0.03
"""Half of the time between two frames: so far the lag that fits best may be off."""
LEAST_OVER_BACKGROUND = 1.15
"""The face is nearer to the screen than what lies behind it: a wall half an arm behind gets two thirds."""
LEAST_FACES = 0.85
_LAGS_S = np.arange(-0.2, 0.801, 0.02)
_EXPOSURE_S = (-0.02, 0.0, 0.02)


@dataclass(frozen=True, slots=True)
class _Answer:
    """agreement: in [-1, 1] · share: of the screen in the light · swing: how much the colour changed."""

    agreement: float
    lag_s: float
    share: float
    swing: float


def examine(takes: Sequence[Seen]) -> CheckResult:
    """Passes, fails or abstains: without a flash in the session, when the face left, when the light is
    weak."""
    flashes = [s for s in takes if s.challenge.code is not None]
    if not flashes:
        return CheckResult(NAME, "abstain", Reason("verify_no_flash"))
    record, code = flashes[0].recording, flashes[0].challenge.code
    assert code is not None
    if record.faces < LEAST_FACES:
        return CheckResult(NAME, "abstain", Reason("verify_flash_face_left"), {"faces": record.faces})
    face = _best(record.face_rgb, record.times_s, code)
    # Where the face does not answer, its lag is one of chance.
    lag_s = face.lag_s if face.agreement >= LEAST_AGREEMENT else None
    behind = _best(record.background_rgb, record.times_s, code, lag_s)
    figures = {"agreement": face.agreement, "lag_s": face.lag_s, "share": face.share, "swing": face.swing}
    figures["background_share"] = behind.share
    reason = _fault(face, behind.share)
    if reason is None:
        return CheckResult(NAME, "pass", Reason("verify_flash_passed"), figures)
    outcome: CheckOutcome = "abstain" if reason == "verify_flash_weak" else "fail"
    return CheckResult(NAME, outcome, Reason(reason), figures)


def _fault(face: _Answer, behind: float) -> str | None:
    """Why it is no pass; ``behind``: the share of the screen there."""
    if face.agreement < LEAST_AGREEMENT:
        # It changed its colours, but not in this order; or only what lies behind it answered.
        answered = face.swing >= LEAST_SWING or behind >= LEAST_SHARE
        return "verify_flash_other_order" if answered else "verify_flash_weak"
    if face.share < LEAST_SHARE:
        return "verify_flash_weak"
    if not LEAST_LAG_S - LAG_ERROR_S <= face.lag_s <= MOST_LAG_S + LAG_ERROR_S:
        return "verify_flash_late"
    return "verify_flash_everywhere" if face.share < LEAST_OVER_BACKGROUND * behind else None


def _best(rgb: np.ndarray, times_s: F64, code: FlashCode, lag_s: float | None = None) -> _Answer:
    """At its best lag, or at the one that is given."""
    light = np.asarray(rgb, np.float64)
    fine = np.isfinite(light).all(1) & (light > 1e-5).all(1)
    if fine.sum() < 12:
        return _Answer(0.0, 0.0, 0.0, 0.0)
    light, times_s = light[fine], times_s[fine]
    relative = light / np.median(light, 0)
    signal = _steady(np.stack([relative[:, 0] - relative[:, 1], relative[:, 2] - relative[:, 1]], 1), times_s)
    lags_s = _LAGS_S if lag_s is None else np.array([lag_s])
    fits = [(*_fit(signal, times_s, code, lag), float(lag)) for lag in lags_s]
    agreement, share, best_lag_s = max(fits)
    return _Answer(agreement, best_lag_s, share, float(np.sqrt((signal**2).mean())))


def _fit(signal: F64, times_s: F64, code: FlashCode, lag_s: float) -> tuple[float, float]:
    """Agreement, and the share of the screen: the mean of the three channels'."""
    colours = np.mean([code.light(times_s - lag_s - past_s) for past_s in _EXPOSURE_S], 0)
    colours = colours / colours.mean(0)
    zero = np.zeros(len(times_s))
    rows = np.concatenate(
        [
            _steady(np.stack([colours[:, 0], -colours[:, 1], zero], 1), times_s),
            _steady(np.stack([zero, -colours[:, 1], colours[:, 2]], 1), times_s),
        ]
    )
    values = np.concatenate([signal[:, 0], signal[:, 1]])
    shares, *_ = np.linalg.lstsq(rows, values, rcond=None)
    fitted = rows @ shares
    spread = float(np.linalg.norm(fitted) * np.linalg.norm(values))
    agreement = float(fitted @ values) / spread if spread > 1e-9 else 0.0
    share = float(shares.mean())
    return (agreement if share > 0 else -agreement), share


def _steady(values: F64, times_s: F64) -> F64:
    """Values (n, k) without what a straight line and a bend of the whole time explain."""
    t = (times_s - times_s.mean()) / max(float(np.ptp(times_s)), 1e-6)
    slow = np.stack([np.ones_like(t), t, t**2], 1)
    rest: F64 = values - slow @ np.linalg.lstsq(slow, values, rcond=None)[0]
    return rest
