"""Wholly generated faces (GAN, diffusion), from windows of the picture at its native resolution."""

from __future__ import annotations

import numpy as np

from haechi.detectors.evidence import Look
from haechi.detectors.network import NetworkDetector
from haechi.models.feed import windows
from haechi.types import FaceTrack, MediaKind


class SynthesisDetector(NetworkDetector):
    """Card ``synthesis``. The mean logit of a face's windows is its evidence; a face that is shown smaller
    than a window with its surroundings is not judged."""

    name = "synthesis"

    def look(self, track: FaceTrack, kind: MediaKind) -> Look | None:
        still = kind == "image"
        cuts = [windows(piece, self.model.card, "still" if still else "video") for piece in track.native]
        pieces = [(int(i), c) for i, c in zip(track.native_index, cuts, strict=True) if c]
        if not pieces:
            return None
        means = [self.score(np.stack(c), both_ways=still).logits.mean() for _, c in pieces]
        logits, index = np.array(means), np.array([i for i, _ in pieces])
        return Look(
            track_id=track.track_id,
            logits=logits,
            mean=float(logits.mean()),
            times_s=track.times_s[index],
            boxes_xyxy=track.boxes_xyxy[index],
            landmarks_xy=track.landmarks_xy[index],
        )
