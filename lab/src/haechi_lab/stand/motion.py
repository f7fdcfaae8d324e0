"""How people move when they are asked to: they read, begin, move smoothly, hold, come back; and they never
stand quite still."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from haechi.types import F64
from haechi.verify.challenges import ChallengeKind
from haechi_lab.stand.render import Pose


@dataclass(frozen=True, slots=True)
class Moment:
    """Of a movement: the pose of the head, and how far the mouth is open, from 0 to 1."""

    pose: Pose
    mouth: float = 0.0


def moments(
    kind: ChallengeKind, times_s: F64, rng: np.random.Generator, sway: float = 1.0
) -> tuple[Moment, ...]:
    """What a person does who is asked for this. ``sway``: how much the body moves on its own."""
    begin_s, rise_s, hold_s = rng.uniform(0.45, 1.3), rng.uniform(0.5, 0.9), rng.uniform(0.3, 0.8)
    progress = _pulse(times_s, begin_s, rise_s, hold_s)
    amounts = {"turn": rng.uniform(33, 42), "nod": rng.uniform(18, 26), "closer": rng.uniform(2.2, 3.0)}
    own = [_sway(times_s, rng, sway) for _ in range(5)]
    rest = Pose(yaw=float(rng.normal(0, 2)), pitch=float(rng.normal(2, 2)), x=float(rng.normal(0, 0.15)))
    out = []
    for i, part in enumerate(progress):
        pose = replace(
            rest,
            yaw=rest.yaw + 1.2 * own[0][i],
            pitch=rest.pitch + 1.0 * own[1][i],
            roll=0.8 * own[2][i],
            x=rest.x + 0.04 * own[3][i],
            y=rest.y + 0.03 * own[4][i],
        )
        if kind.startswith("turn"):
            # The subject's left is the picture's right.
            pose = replace(pose, yaw=pose.yaw + (1 if kind == "turn_left" else -1) * amounts["turn"] * part)
        elif kind == "nod":
            pose = replace(pose, pitch=pose.pitch + amounts["nod"] * part)
        elif kind == "closer":
            pose = replace(pose, z=pose.z + amounts["closer"] * part)
        out.append(Moment(pose, float(part) if kind == "mouth" else 0.0))
    return tuple(out)


def _pulse(times_s: F64, begin_s: float, rise_s: float, hold_s: float) -> F64:
    """0, up to 1 with the least jerk (Flash and Hogan 1985), held, down again."""
    up = np.clip((times_s - begin_s) / rise_s, 0, 1)
    down = np.clip((times_s - begin_s - rise_s - hold_s) / rise_s, 0, 1)
    out: F64 = _smooth(up) - _smooth(down)
    return out


def _smooth(t: F64) -> F64:
    out: F64 = t**3 * (10 - 15 * t + 6 * t**2)
    return out


def _sway(times_s: F64, rng: np.random.Generator, size: float) -> F64:
    """A slow wander of about ``size``, with a little tremor."""
    out = np.zeros(len(times_s))
    for hertz in (0.15, 0.3, 0.7, 2.5):
        out += rng.normal(0, 0.5 / (1 + hertz)) * np.sin(2 * np.pi * (hertz * times_s + rng.uniform()))
    return size * out
