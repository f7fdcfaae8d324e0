"""A call for tests: a finder that knows where the faces are, and a network that goes by the red in a crop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from haechi import models
from haechi.faces import Detections, FaceRules, FaceStream, Window
from haechi.live.seconds import fingerprint
from haechi.settings import Settings
from haechi.types import U8, MediaKind, Scores
from synthetic import landmarks_of, texture

Tile = tuple[int, int, int, int]
"""Left, top, side in px, and the number of the person."""
MARK = {"drift": 1.0, "clip": 3.0}
RULE: dict[str, Any] = {
    "ask": {**MARK, "threshold": 3.0}, "alarm": {**MARK, "threshold": 6.0},
    "signs": {}, "fusion": {"weights": {"swap": 1.0}, "intercept": 0.0},
}  # fmt: skip


@dataclass
class Placed:
    """Finds the faces that are placed at the moment."""

    tiles: Sequence[Tile] = ()
    certain: float = 0.5
    certainty: float = 0.99

    def detect(
        self, rgb: U8, search_px: Sequence[int], quarters: Sequence[int], both_ways: bool
    ) -> Detections:
        rows = np.array([t[:3] for t in self.tiles], np.float32).reshape(-1, 3)
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], 1)
        found = Detections(boxes, landmarks_of(boxes), np.full(len(rows), 0.9, np.float32))
        return replace(found, certainty=np.full(len(rows), self.certainty))


@dataclass
class Redness:
    """In place of the face network: a logit above 0 where a crop is red; remembers how many it was asked."""

    name: str = "swap"
    asked_for: list[int] = field(default_factory=list)

    def score(self, pictures: U8, *, both_ways: bool = False) -> Scores:
        self.asked_for.append(len(pictures))
        red = pictures[..., 0].mean((1, 2)).astype(np.float64) - pictures[..., 1].mean((1, 2))
        return Scores(red / 4)


@dataclass
class CallPipeline:
    """The three things that a watched call asks of a pipeline."""

    settings: Settings = field(default_factory=Settings)
    finder: Placed = field(default_factory=Placed)
    network: Redness = field(default_factory=Redness)

    def stream(self, kind: MediaKind = "video", window: Window | None = None) -> FaceStream:
        rules = FaceRules.of(self.settings)
        return FaceStream(self.finder, self.settings, kind=kind, window=window, rules=rules)

    def scorers(self) -> Mapping[str, Redness]:
        return {self.network.name: self.network}


def screen(tiles: Sequence[Tile], step: int, forged: Sequence[int] = (), frozen: Sequence[int] = ()) -> U8:
    """A frame u8 (480, 640, 3) of people, each drawn from their number, who move a little with ``step``, but
    for those whose tile is ``frozen``."""
    rgb = np.full((480, 640, 3), 128, np.uint8)
    for left, top, side, person in tiles:
        face = texture(side + 40, side + 40, person, soft=max(side / 12, 6))
        if person in forged:
            face = np.clip(face.astype(np.int16) + np.array([60, 0, 0]), 0, 255).astype(np.uint8)
        shift = 0 if person in frozen else step % 3
        part = np.roll(face, shift, 1)[20 : 20 + side, 20 : 20 + side]
        rgb[top : top + side, left : left + side] = part
    return rgb


def write_rule(folder: Path, **more: Any) -> Settings:
    """Settings with the shipped models and a card ``live`` of RULE, in a folder of their own."""
    shipped = models.folder(Settings())
    for file in (*shipped.glob("*.json"), *shipped.glob("*.onnx")):
        if file.stem != "live":
            (folder / file.name).symlink_to(file)
    settings = Settings(models_dir=str(folder), threads=1)
    card = {
        "name": "live", "version": "0.0.1", "task": "a test", "licence": "Apache-2.0",
        "parameters": {**RULE, "fitted_with": fingerprint(settings), **more},
    }  # fmt: skip
    (folder / "live.json").write_text(json.dumps(models.seal(card, folder)))
    return settings
