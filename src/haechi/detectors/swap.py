"""Swapped, re-enacted and locally edited faces, from the face crop, with a map of where."""

from __future__ import annotations

from haechi.detectors.evidence import Look
from haechi.detectors.network import NetworkDetector
from haechi.types import FaceTrack, MediaKind


class SwapDetector(NetworkDetector):
    """Card ``swap``. One logit and one map a crop; a face's evidence is that of its mean logit over time. A
    photograph is asked both ways round, which a video's many crops need not be."""

    name = "swap"

    def look(self, track: FaceTrack, kind: MediaKind) -> Look:
        scores = self.score(track.crops, both_ways=kind == "image")
        return Look(
            track_id=track.track_id,
            logits=scores.logits,
            mean=float(scores.logits @ track.crop_weights),
            times_s=track.times_s[track.crop_index],
            boxes_xyxy=track.crop_boxes_xyxy,
            landmarks_xy=track.landmarks_xy[track.crop_index],
            maps=scores.maps,
            turns_deg=track.crop_turns_deg,
        )
