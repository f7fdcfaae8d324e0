"""A detector with a network that looks at the crops of a face: scores in batches, evidence from scores.

One of its own has a name, and a card of that name: what it is fed, how its logit is calibrated and what its
map covers stand there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from haechi import models
from haechi.detectors.evidence import Look, abstained, judged_faces, no_judged_face, scored
from haechi.models.feed import feed, middle, mirrored, probability
from haechi.settings import Settings
from haechi.types import F32, F64, U8, Evidence, FaceTrack, Media, MediaKind, Quality, Scores

BATCH = 8
"""Pictures that are fed at once."""


class NetworkDetector:
    """``name`` is that of its card; ``most_moments``: pictures of one face that are looked at, evenly spread
    over a video, None for all."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    most_moments: ClassVar[int | None] = None

    def __init__(self, settings: Settings) -> None:
        """Raises ModelError when the model is missing, altered or does not fit its card."""
        self.model = models.load(self.name, settings)
        card = self.model.card
        self.version = card.version
        self.input, self.calibration = card.needs_input(), card.needs_calibration()
        self._logit = card.outputs.index("logit")
        self._map = card.outputs.index("map") if "map" in card.outputs else None

    def look(self, track: FaceTrack, kind: MediaKind) -> Look:
        """What the network says of a face: its evidence is that of its mean logit over time. A photograph is
        asked both ways round, which a video's many crops need not be."""
        some = self._moments(track)
        scores = self.score(track.crops[some], both_ways=kind == "image")
        index, weights = track.crop_index[some], track.crop_weights[some]
        turns_deg = track.crop_turns_deg
        return Look(
            track_id=track.track_id,
            logits=scores.logits,
            mean=float(scores.logits @ weights / weights.sum()),
            times_s=track.times_s[index],
            boxes_xyxy=track.crop_boxes_xyxy[some],
            landmarks_xy=track.landmarks_xy[index],
            maps=scores.maps,
            turns_deg=None if turns_deg is None else turns_deg[some],
        )

    def _moments(self, track: FaceTrack) -> NDArray[np.int64]:
        """Which crops of a track are looked at: those that stand for equal shares of its time."""
        count = len(track.crops)
        if self.most_moments is None or count <= self.most_moments:
            return np.arange(count)
        share = track.crop_weights.cumsum()
        middles = (np.arange(self.most_moments) + 0.5) / self.most_moments
        return np.unique(np.searchsorted(share, middles)).clip(max=count - 1)

    def score(self, pictures: U8, *, both_ways: bool = False) -> Scores:
        """Pictures u8 (n, H, W, 3) RGB as ``look`` cuts them -> logits f64 (n,), and maps f32 (n, h, w) in
        [0, 1] over all of each picture where the network draws them. ``both_ways``: asked again with left and
        right exchanged, and the mean taken."""
        logits: F64 = np.empty(len(pictures))
        maps: list[F32] = []
        for start in range(0, len(pictures), BATCH):
            part = slice(start, start + BATCH)
            x = feed(middle(pictures[part], self.input), self.input)
            logit, where = self._run(x)
            if both_ways:
                other, turned = self._run(mirrored(x, self.input))
                logit = np.asarray((logit + other) / 2, np.float32)
                if where is not None and turned is not None:
                    where = np.asarray((where + turned[:, :, ::-1]) / 2, np.float32)
            logits[part] = logit
            if where is not None:
                maps.append(self._whole(where, pictures.shape[1]))
        return Scores(logits, np.concatenate(maps) if maps else None)

    def examine(
        self,
        media: Media,
        tracks: Sequence[FaceTrack],
        quality: Quality,
        prior: Mapping[str, Evidence],
    ) -> Evidence:
        """Scores every face that is good enough; abstains when none is."""
        faces = judged_faces(tracks, quality)
        if not faces:
            return abstained(self.name, self.version, no_judged_face(tracks))
        looks = [(self.look(t, media.kind), q) for t, q in faces]
        if not self.model.card.map_shown:
            # It would point people to places no better than a guess does.
            looks = [(replace(look, maps=None), q) for look, q in looks]
        # Only a network that looks at every moment says when.
        moments = media.kind == "video" and self.most_moments is None
        return scored(self.name, self.version, looks, self.calibration, moments=moments)

    def _run(self, x: F32) -> tuple[F32, F32 | None]:
        outputs = self.model.run(x)
        return outputs[self._logit], None if self._map is None else outputs[self._map]

    def _whole(self, where: F32, side_px: int) -> F32:
        """Map logits f32 (n, h, w) of what the network saw -> f32 (n, H, W) in [0, 1] of the whole picture.
        What lies beyond the window was not looked at: it is shown as its edge is."""
        cells = round(side_px * where.shape[1] / (self.input.height_px or side_px))
        around = (cells - where.shape[1]) // 2
        return probability(np.pad(where, ((0, 0), (around, around), (around, around)), "edge"))
