"""A pulse is told where there is one, not where there is none, and never decides anything."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import flashed, moved, recording, times

from haechi.types import F32, F64, Reason
from haechi.verify.checks import CHECKS, pulse
from haechi.verify.decide import decide
from haechi.verify.flash_code import FlashCode
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

BLOOD = np.array([0.33, 0.77, 0.53])
"""How much a beat changes each colour of the skin (Wang et al. 2017)."""


def skin(times_s: F64, rng: np.random.Generator, beats: float, strength: float) -> F32:
    """Light of a face that sways under light that changes slowly, and whose heart beats."""
    beat = strength * np.sin(2 * np.pi * beats / 60 * times_s + rng.uniform(0, 6))[:, None] * BLOOD
    waves = [
        rng.normal(0, 1 / (1 + h)) * np.sin(2 * np.pi * (h * times_s + rng.uniform())) for h in (0.2, 0.7)
    ]
    slow = 1 + 0.02 * np.sin(2 * np.pi * 0.3 * times_s + rng.uniform(0, 6))[:, None] * rng.normal(0, 0.3, 3)
    light = np.array([0.35, 0.25, 0.2]) * (1 + beat) * (1 + 0.03 * sum(waves))[:, None] * slow
    return (light * (1 + rng.normal(0, 0.001, light.shape))).astype(np.float32)


def session(seed: int, beats: float = 72.0, strength: float = 0.0, steps: int = 3) -> list[Seen]:
    rng = np.random.default_rng(seed)
    clocks = [times(4, seed + k) for k in range(steps)]
    return [moved("mouth", recording(t, face_rgb=skin(t, rng, beats, strength))) for t in clocks]


@pytest.mark.parametrize("beats", [58.0, 75.0, 110.0])
def test_a_strong_pulse_is_told(beats: float) -> None:
    results = [pulse.examine(session(seed, beats, 0.02, steps=5)) for seed in range(20)]
    told = [result for result in results if result.outcome == "pass"]
    assert len(told) >= 10
    assert all(abs(float(result.reason.params["bpm"]) - beats) <= 6 for result in told)


def test_where_there_is_none_hardly_one_is_told() -> None:
    results = [pulse.examine(session(seed)) for seed in range(200)]
    assert sum(result.outcome == "pass" for result in results) <= 4
    assert {result.reason.code for result in results} <= {"verify_pulse", "verify_pulse_weak"}


def test_it_abstains_without_time_without_a_face_and_under_the_colours() -> None:
    short = pulse.examine(session(0, strength=0.02, steps=1))
    assert (short.outcome, short.reason.code) == ("abstain", "verify_pulse_short")
    assert pulse.examine([]).outcome == "abstain"
    coloured = [flashed(FlashCode.drawn(), one.recording) for one in session(0, strength=0.02)]
    assert pulse.examine(coloured).reason.code == "verify_pulse_short"
    for one in (lost := session(0, strength=0.02)):
        one.recording.face_rgb[:] = np.nan
    assert pulse.examine(lost).reason.code == "verify_pulse_short"


def test_it_never_refuses_and_is_never_needed() -> None:
    fine = [CheckResult(name, "pass", Reason("verify_moved")) for name, _ in CHECKS if name != "pulse"]
    for seed in range(10):
        result = pulse.examine(session(seed, strength=0.01 * (seed % 2)))
        assert result.outcome in ("pass", "abstain")
        assert decide([*fine, result], flash=True).decision == "accept"
