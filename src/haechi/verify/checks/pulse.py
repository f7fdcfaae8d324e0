"""A pulse in the colour of the skin: shown, and never a reason to refuse anybody. A forged face has the pulse
of whoever drives it, a replayed one that of whoever was filmed, and on dark skin, in weak light or after
compression the signal drowns in noise.

Two ways of taking it out of the mean colour of the face, which have to agree: POS (Wang et al. 2017) and
CHROM (de Haan and Jeanne 2013). The ratio of signal to noise is that of the latter: the power around the
strongest frequency and its double, over all other power. Movements are seconds long, so the spectra of all
are added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from haechi.types import F64, Reason
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

NAME = "pulse"
LEAST_S = 7.0
"""Of all movements together, with a face."""
LEAST_SNR_DB = 1.0
"""Of the weaker of both: of light without a pulse one session in a hundred reaches it and has both agree."""
MOST_APART_BPM = 6.0
LEAST_BPM = 51.0
"""What is slower cannot be told from swaying and breathing."""
LOWEST_HZ, HIGHEST_HZ, NOISE_HZ = 0.7, 3.0, 4.0
BESIDE_HZ = 0.25
"""Half the width of what counts as the pulse: that of a line in the spectrum of four seconds."""
RATE_HZ, WINDOW_S = 15.0, 1.6
_POINTS = 1024
_POS = np.array([[0.0, 1.0, -1.0], [-2.0, 1.0, 1.0]])
_CHROM = np.array([[3.0, -2.0, 0.0], [1.5, 1.0, -1.5]])

_Pulse: TypeAlias = Callable[[F64], F64]


def examine(takes: Sequence[Seen]) -> CheckResult:
    """Passes with the rate, or abstains: with too little time, or too much noise."""
    stretches = [s for take in takes if take.challenge.code is None for s in (_stretch(take),) if len(s)]
    seconds = sum(len(s) for s in stretches) / RATE_HZ
    if seconds < LEAST_S:
        return CheckResult(NAME, "abstain", Reason("verify_pulse_short"), {"time_s": seconds})
    (pos_bpm, pos_db), (chrom_bpm, chrom_db) = (_rate(stretches, way) for way in (pos, chrom))
    figures = {"pos_bpm": pos_bpm, "pos_snr_db": pos_db, "chrom_bpm": chrom_bpm, "chrom_snr_db": chrom_db}
    agree = abs(pos_bpm - chrom_bpm) <= MOST_APART_BPM and min(pos_bpm, chrom_bpm) >= LEAST_BPM
    if not agree or min(pos_db, chrom_db) < LEAST_SNR_DB:
        return CheckResult(NAME, "abstain", Reason("verify_pulse_weak"), figures)
    return CheckResult(
        NAME, "pass", Reason("verify_pulse", {"bpm": round((pos_bpm + chrom_bpm) / 2)}), figures
    )


def pos(normed: F64) -> F64:
    """Colours f64 (n, 3) around 1 -> f64 (n,): the plane orthogonal to the skin."""
    one, other = _POS @ normed.T
    out: F64 = one + one.std() / max(float(other.std()), 1e-12) * other
    return out


def chrom(normed: F64) -> F64:
    """The same by chrominance, of which what the light changes alike cancels."""
    one, other = _CHROM @ (normed - 1).T
    out: F64 = one - one.std() / max(float(other.std()), 1e-12) * other
    return out


def _stretch(take: Seen) -> F64:
    """Colours f64 (n, 3) at RATE_HZ; none without a window of them."""
    record = take.recording
    rgb = record.face_rgb.astype(np.float64)
    fine = np.isfinite(rgb).all(1) & (rgb > 1e-5).all(1)
    nothing = np.zeros((0, 3))
    if fine.sum() < 2:
        return nothing
    times_s, rgb = record.times_s[fine], rgb[fine]
    at_s = np.arange(times_s[0], times_s[-1], 1 / RATE_HZ)
    if len(at_s) < WINDOW_S * RATE_HZ:
        return nothing
    return np.stack([np.interp(at_s, times_s, rgb[:, c]) for c in range(3)], 1)


def _rate(stretches: Sequence[F64], way: _Pulse) -> tuple[float, float]:
    """Beats a minute, and the signal over the noise in decibels."""
    power = np.sum([_spectrum(_overlapped(s, way)) for s in stretches], 0)
    hertz = np.fft.rfftfreq(_POINTS, 1 / RATE_HZ)
    band = (hertz >= LOWEST_HZ) & (hertz <= HIGHEST_HZ)
    beat_hz = float(hertz[band][np.argmax(power[band])])
    heard = (hertz >= LOWEST_HZ) & (hertz <= NOISE_HZ)
    signal = (np.abs(hertz - beat_hz) <= BESIDE_HZ) | (np.abs(hertz - 2 * beat_hz) <= BESIDE_HZ)
    inside, outside = float(power[heard & signal].sum()), float(power[heard & ~signal].sum())
    return 60 * beat_hz, 10 * float(np.log10(max(inside, 1e-30) / max(outside, 1e-30)))


def _overlapped(rgb: F64, way: _Pulse) -> F64:
    """f64 (n,): windows that overlap by all but one sample, each normed by its own mean, added up."""
    size = round(WINDOW_S * RATE_HZ)
    out = np.zeros(len(rgb))
    for start in range(len(rgb) - size + 1):
        window = rgb[start : start + size]
        part = way(window / window.mean(0))
        out[start : start + size] += part - part.mean()
    return out


def _spectrum(wave: F64) -> F64:
    """Power f64 (_POINTS // 2 + 1,), as much in all as the wave is long: no stretch drowns the others."""
    tapered = (wave - wave.mean()) * np.hanning(len(wave))
    power: F64 = np.abs(np.fft.rfft(tapered, _POINTS)) ** 2
    return power / max(float(power.sum()), 1e-30) * len(wave)
