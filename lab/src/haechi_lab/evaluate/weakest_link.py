"""``haechi train field --only groups|clips``: one forged face among many, and four forged seconds in sixty.

    groups     pictures of 1 to 40 faces: how often the genuine ones alarm, and whether the one forged face
               among others is found, and named, as often as when it stands alone
    clips      5, 30 and 300 seconds: how often genuine ones alarm, and whether four forged seconds in sixty
               are found as often as when they are cut out

Everything comes from persons of the reporting half. A group is a board of tiles, as a call shows people, each
tile a picture as it was kept, saved as one JPEG. A clip is a still before a moving camera (``film``): nobody
blinks in it, so that what is measured is the effect of length, not of real motion.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi.bench.metrics import figure, mean_statistic
from haechi.pipeline import Pipeline
from haechi.report import Report
from haechi.settings import Settings
from haechi.types import U8
from haechi_lab.data.shards import Item, Shards, half, load_manifest
from haechi_lab.pseudo_fakes import clips

SEED, TILE_PX, JPEG_QUALITY = 41, 256, 90
GENUINE = ("dfdc", "lfw", "ffhq-stylegan1")
GROUPS: Mapping[int, int] = {1: 200, 2: 150, 5: 100, 12: 80, 40: 50}
"""Genuine pictures by their number of faces."""
FORGED = 60
"""Forged faces, each shown alone and in a group of every size."""
LENGTHS_S: Mapping[float, int] = {5.0: 60, 30.0: 30, 300.0: 12}
"""Genuine clips by their length."""
FORGED_CLIPS, FORGED_S, WHOLE_S = 30, 4.0, 60.0
SIGNS = ("some", "strong")
ALARMS = ("alarms, some", "alarms, strong")


class Faces:
    """Genuine pictures of persons of one half of the validation split, and swaps with their originals."""

    def __init__(self, data: Path, part: str = "reporting") -> None:
        self._shards = Shards(data)
        items = [i for i in load_manifest(data) if i.split == "val" and half(i.group) == part]
        self._genuine = [i for i in items if not i.fake and i.source in GENUINE]
        self._by_stem = {Path(i.path).stem: i for i in self._genuine}
        self._swaps = [i for i in items if i.fake and i.kind == "face-swap" and i.original in self._by_stem]

    def genuine(self, rng: np.random.Generator, count: int) -> list[U8]:
        """Of as many persons, while there are enough."""
        groups: dict[str, list[Item]] = {}
        for item in self._genuine:
            groups.setdefault(item.group, []).append(item)
        names = rng.permutation(sorted(groups))[:count]
        return [self._shards.rgb(groups[n][int(rng.integers(len(groups[n])))].path) for n in names]

    def pairs(self, rng: np.random.Generator, count: int) -> list[tuple[U8, U8]]:
        """Swaps, each with the frame of the same scene that it was made from: (forged, original)."""
        some = [self._swaps[int(k)] for k in rng.permutation(len(self._swaps))[:count]]
        return [(self._shards.rgb(i.path), self._shards.rgb(self._by_stem[i.original].path)) for i in some]


def columns_of(tiles: int) -> int:
    """How many stand side by side: a board is wider than high."""
    return math.ceil(math.sqrt(tiles * 1.6))


def board(tiles: Sequence[U8]) -> bytes:
    """Tiles beside each other on dark grey, as one JPEG."""
    columns = columns_of(len(tiles))
    rows = math.ceil(len(tiles) / columns)
    picture = np.full((rows * TILE_PX, columns * TILE_PX, 3), 40, np.uint8)
    for k, tile in enumerate(tiles):
        h, w = tile.shape[:2]
        top, left = (
            (k // columns) * TILE_PX + (TILE_PX - h) // 2,
            (k % columns) * TILE_PX + (TILE_PX - w) // 2,
        )
        picture[top : top + h, left : left + w] = tile
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]), options)[1].tobytes()


def levels_in_tile(report: Report, number: int, tiles: int) -> list[str]:
    """The levels of the faces whose middle lies in a tile of the board."""
    row, column = divmod(number, columns_of(tiles))
    level: dict[int, str] = {face.track_id: face.level for face in report.verdict.faces}
    out: list[str] = []
    for track in report.faces:
        x1, y1, x2, y2 = track.boxes_xyxy[0]
        if (int((x1 + x2) / 2 // TILE_PX), int((y1 + y2) / 2 // TILE_PX)) == (column, row):
            out.append(level.get(track.track_id, "unknown"))
    return out


def rate(outcomes: Sequence[bool]) -> dict[str, Any]:
    """A share with its 95% interval."""
    if not outcomes:
        return {"value": None, "low": None, "high": None, "n": 0}
    of_all = figure(mean_statistic(np.array(outcomes, float)), len(outcomes), is_rate=True)
    return {**of_all.as_dict(), "n": len(outcomes)}


def told(share: Mapping[str, Any]) -> str:
    """For a table."""
    if share["value"] is None:
        return "–"
    return f"{share['value']:.1%} ({share['low']:.1%} to {share['high']:.1%})"


def _alarms(levels: Sequence[str]) -> dict[str, Any]:
    return {
        "alarms_some": rate([v in SIGNS for v in levels]),
        "alarms_strong": rate([v == "strong" for v in levels]),
    }


def measure_groups(data: Path, _folder: Path | None = None) -> dict[str, Any]:
    """Alarms by number of faces, and finds of the one forged face among them."""
    checker, faces, rng = Pipeline(Settings(threads=1)), Faces(data), np.random.default_rng(SEED)
    pairs = faces.pairs(rng, FORGED)
    alone = [forged in SIGNS for forged in (checker.check(board([f])).verdict.level for f, _ in pairs)]
    rows: list[dict[str, Any]] = []
    for n, count in GROUPS.items():
        levels = [checker.check(board(faces.genuine(rng, n))).verdict.level for _ in range(count)]
        hits = []
        for (forged, _original), alone_too in zip(pairs, alone, strict=True):
            if alone_too:
                tiles = faces.genuine(rng, n)
                number = int(rng.integers(n))
                tiles[number] = forged
                report = checker.check(board(tiles))
                hits.append(any(level in SIGNS for level in levels_in_tile(report, number, n)))
        rows.append({"faces": n, **_alarms(levels), "named_of_found_alone": rate(hits)})
    columns = [
        "faces",
        "pictures",
        "alarms, some",
        "alarms, strong",
        "forged face named, of those found alone",
    ]
    table = [[str(r["faces"]), str(r["alarms_some"]["n"]), *(told(r[k]) for k in list(r)[1:])] for r in rows]
    return {"found_alone": rate(alone), "rows": rows, "table": {"columns": columns, "rows": table}}


class Studio:
    """Makes clips of stills in a folder that is emptied again."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self._file, self._rng = folder / "clip.mp4", rng

    def scene(self, length_s: float) -> clips.Scene:
        """Camera, light and coding for so many seconds, at 15 frames a second."""
        scene = clips.draw_scene(self._rng, 224, round(length_s * 15))
        return replace(scene, fps=15, crf=min(scene.crf, 30), preset="veryfast")

    def filmed(self, stills: Sequence[U8], ground: U8, scene: clips.Scene) -> Path:
        """Stills u8 (224, 224, 3), one a frame, in a file."""
        clips.encode(clips.film(stills, ground, scene, self._rng), self._file, scene)
        return self._file


def still(rgb: U8) -> U8:
    return np.asarray(cv2.resize(rgb, (224, 224), interpolation=cv2.INTER_AREA), np.uint8)


def _part(scene: clips.Scene, frames: slice) -> clips.Scene:
    """The same camera for some of its frames."""
    names = ("motion", "gain", "shade", "focus", "passing")
    return replace(scene, **{name: getattr(scene, name)[frames] for name in names})


def measure_clips(data: Path, _folder: Path | None = None) -> dict[str, Any]:
    """Alarms by length, and finds of four forged seconds in sixty."""
    checker, faces, rng = Pipeline(Settings(threads=1)), Faces(data), np.random.default_rng(SEED)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), rng)
        for length_s, count in LENGTHS_S.items():
            levels = []
            for one in map(still, faces.genuine(rng, count)):
                scene = studio.scene(length_s)
                levels.append(
                    checker.check(studio.filmed([one] * len(scene.motion), one, scene)).verdict.level
                )
            rows.append({"length_s": length_s, **_alarms(levels)})
        cut_out, within = [], []
        for forged, original in ((still(f), still(o)) for f, o in faces.pairs(rng, FORGED_CLIPS)):
            scene = studio.scene(WHOLE_S)
            frames = len(scene.motion)
            start = int(rng.integers(frames // 10, frames * 8 // 10))
            part = slice(start, start + round(FORGED_S * scene.fps))
            short = _part(scene, part)
            report = checker.check(studio.filmed([forged] * len(short.motion), original, short))
            cut_out.append(report.verdict.level in SIGNS)
            if cut_out[-1]:
                stills = [forged if part.start <= k < part.stop else original for k in range(frames)]
                report = checker.check(studio.filmed(stills, original, scene))
                within.append(report.verdict.level in SIGNS)
    table = [
        [f"{r['length_s']:g} s", str(r["alarms_some"]["n"]), *(told(r[k]) for k in list(r)[1:])] for r in rows
    ]
    return {
        "found_cut_out": rate(cut_out), "found_in_60_s_of_found_cut_out": rate(within), "rows": rows,
        "table": {"columns": ["genuine clips of", "clips", *ALARMS], "rows": table},
    }  # fmt: skip
