"""What is measured on the frames of one challenge, as arrays: all that the checks look at, and no picture of
anybody. The frames themselves are let go once it is made."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields

import numpy as np

from haechi.errors import UsageError
from haechi.types import F32, F64, U8
from haechi.values import Value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recording(Value):
    """K frames of one challenge, in order of time.

    times_s f64 (K,): since the first frame of the challenge · landmarks_xy f32 (K, 5, 2), in px of the frame:
    the subject's right eye, left eye, nose tip, right and left corner of the mouth, as the skin carries them
    where the movement is followed; NaN where no face was found, or the skin was lost · found_xy f32 (K, 5,
    2): the same as the finder drew them, between the frames that were searched interpolated · face_rgb,
    background_rgb f32 (K, 3): mean linear light of the skin, and of what lies around the head, in [0, 1] ·
    mouth f32 (K,): how dark the inside of the mouth is beside the cheeks, 0 as bright, 1 black · coarse u8
    (K, h, w): the whole frame, tiny and grey · before_xy, after_xy f32 (N, 2): points on the face before a
    turn and where it is far enough, in px; empty for other challenges · llrs f64 (m,): of the face network
    on a few crops, in nats · prints u8 (n, 32): perceptual hashes of a few looks at the face."""

    times_s: F64
    landmarks_xy: F32
    found_xy: F32
    face_rgb: F32
    background_rgb: F32
    mouth: F32
    coarse: U8
    before_xy: F32
    after_xy: F32
    llrs: F64
    prints: U8

    @property
    def faces(self) -> float:
        """Share of the frames in which one was found."""
        return float(np.isfinite(self.found_xy[:, 0, 0]).mean()) if len(self.times_s) else 0.0


def to_bytes(recording: Recording) -> bytes:
    """For the way between two processes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{f.name: getattr(recording, f.name) for f in fields(recording)})
    return file.getvalue()


def from_bytes(data: bytes) -> Recording:
    """Raises UsageError when it is none."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Recording(**{f.name: arrays[f.name] for f in fields(Recording)})
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise UsageError(f"A recording cannot be read ({type(error).__name__}).") from None
