"""Short genuine and forged calls of the same people, coded as calls are, kept as files so that other
networks can be asked about the same ones.

Most are stills before a moving camera (``pseudo_fakes.clips.film``), in which nobody blinks or speaks; the
others are clips of people who talk. A forged call is a genuine one through a live swapper, before it is
coded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi.faces import FaceFinder, FaceStream, Window
from haechi.settings import Settings
from haechi.types import F32, U8, Frame
from haechi_lab.data.packs import Pack, open_all
from haechi_lab.data.shards import half
from haechi_lab.live import genuine
from haechi_lab.live.passing import pass_before
from haechi_lab.live.swapper import SPECIES, LiveSwap
from haechi_lab.pseudo_fakes.clips import Scene, draw_scene, film
from haechi_lab.pseudo_fakes.regions import EYE_LEFT, EYE_RIGHT

SEED, FASTEST = 83, 30
GENUINE = "genuine"
PARTS = ("selection", "reporting")
SOURCES = ("dfdc", "lfw", "ffhq-stylegan1", "ffhq-1024", "gan1024", "openforensics")
TALKING = "talking"
"""The source of what was filmed as people spoke."""
BITS = (0.065, 0.33)
"""Bits a pixel and frame, the range that 300 to 1,500 kbit/s are for 640 x 480 px at 15 a second."""
LOW_RATE_BITS = 200_000
"""A second, of the species of that name."""
ALL_OTHERS = (*SPECIES, *genuine.SPECIES)
LARGEST_PX, TALKING_FPS = 480, 15.0
"""Shorter side of a frame of a filmed clip, and the most of them a second, about."""
NOSE_TIP, CORNERS = 1, (61, 291)


@dataclass(frozen=True, slots=True)
class Call:
    """A file. species: GENUINE, or one of ``genuine.SPECIES`` or ``swapper.SPECIES`` · group: the person ·
    part: the half of the validation split, ``selection`` or ``reporting``."""

    file: Path
    species: str
    source: str
    group: str

    @property
    def forged(self) -> bool:
        return self.species in SPECIES

    @property
    def part(self) -> str:
        return half(self.group)


@dataclass(frozen=True, slots=True)
class _Sitter:
    """Somebody to film: a crop u8 (S, S, 3) and its mesh f32 (468, 2)."""

    source: str
    group: str
    crop: U8
    mesh: F32


def make(
    packs_dir: Path,
    filmed: Path | None,
    out: Path,
    people: int,
    forged: int,
    seconds: float,
    log: Callable[[str], None] = print,
) -> list[Call]:
    """The calls in ``out``, those that are missing made. ``people``: filmed stills of each half, one a
    person; ``forged``: of how many of them, in each half, there is a call of every forged species.
    ``filmed``: a folder of clips of people who talk, of each of whom there is one of every species.

    Raises UsageError without packs or the program ffmpeg."""
    out.mkdir(parents=True, exist_ok=True)
    packs = open_all(packs_dir)
    calls: list[Call] = []
    for part in PARTS:
        for number, sitter in enumerate(_sitters(packs, part, people)):
            names = [GENUINE, *(SPECIES if number < forged else ())]
            calls += _of_still(sitter, f"{part}-{number:03d}", names, out, seconds)
            if number % 20 == 19:
                log(f"{part}: {number + 1} of {people} people")
    for file in sorted(filmed.glob("*.mp4")) if filmed is not None else ():
        calls += _of_clip(file, [GENUINE, *ALL_OTHERS], out, seconds)
    return calls


def _sitters(packs: Sequence[Pack], part: str, count: int) -> list[_Sitter]:
    """People of one half of the validation split, one picture of each, a source after the other."""
    draw = np.random.default_rng([SEED, *part.encode()])
    by_source: dict[str, list[tuple[Pack, int]]] = {}
    for pack in packs:
        for line, face in enumerate(pack.faces):
            genuine = face.split == "val" and not face.fake and face.source in SOURCES
            if genuine and half(face.group) == part and np.isfinite(pack.mesh[line, 0, 0]):
                by_source.setdefault(face.source, []).append((pack, line))
    for source, places in by_source.items():
        once = {places[int(i)][0].faces[places[int(i)][1]].group: places[int(i)] for i in
                draw.permutation(len(places))}  # fmt: skip
        by_source[source] = list(once.values())
    out: list[_Sitter] = []
    for rank in range(max((len(places) for places in by_source.values()), default=0)):
        for source in SOURCES:
            if rank < len(by_source.get(source, ())) and len(out) < count:
                pack, line = by_source[source][rank]
                mesh = np.asarray(pack.mesh[line], np.float32)
                out.append(
                    _Sitter(source, pack.faces[line].group, np.asarray(pack.crops[line], np.uint8), mesh)
                )
    return out


def _of_still(sitter: _Sitter, stem: str, names: Sequence[str], out: Path, seconds: float) -> Iterator[Call]:
    """The genuine call of one person and the forged ones: one camera, one light, one coding for all."""
    files = {name: out / f"{stem}-{_slug(name)}.mp4" for name in names}
    if not all(file.is_file() for file in files.values()):
        seed = [SEED, *stem.encode()]
        rng = np.random.default_rng(seed)
        scene = draw_scene(rng, sitter.crop.shape[0], round(seconds * FASTEST))
        count = round(seconds * scene.fps)
        scene = replace(scene, motion=scene.motion[:count], gain=scene.gain[:count])
        bits = float(np.exp(rng.uniform(*np.log(BITS))))
        frames = film([sitter.crop] * count, sitter.crop, scene, np.random.default_rng(seed))
        points = _points_over_time(sitter.mesh, scene)
        for name, file in files.items():
            if not file.is_file():
                _write(frames, points, name, file, scene.fps, bits)
    for name, file in files.items():
        yield Call(file, name, sitter.source, sitter.group)


def _of_clip(file: Path, names: Sequence[str], out: Path, seconds: float) -> Iterator[Call]:
    """The same of a clip in which somebody talks."""
    files = {name: out / f"talking-{file.stem}-{_slug(name)}.mp4" for name in names}
    if not all(f.is_file() for f in files.values()):
        frames, fps = read(file, seconds, TALKING_FPS)
        points = found_points(frames, fps)
        rng = np.random.default_rng([SEED, *file.stem.encode()])
        bits = float(np.exp(rng.uniform(*np.log(BITS))))
        for name, target in files.items():
            if not target.is_file():
                _write(frames, points, name, target, fps, bits)
    for name, target in files.items():
        yield Call(target, name, TALKING, file.stem)


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace("/", "-")


def _points_over_time(mesh: F32, scene: Scene) -> list[F32 | None]:
    """The five points in each frame of a filmed still."""
    five = np.stack([mesh[EYE_RIGHT].mean(0), mesh[EYE_LEFT].mean(0), mesh[NOSE_TIP], *mesh[list(CORNERS)]])
    return [np.asarray(five @ m[:, :2].T + m[:, 2], np.float32) for m in scene.motion]


def found_points(frames: Sequence[U8], fps: float) -> list[F32 | None]:
    """The same by the face finder, of the largest face; None where there is none."""
    settings = Settings()
    stream: FaceStream = FaceFinder(settings).stream("video", Window())
    points: list[F32 | None] = []
    for k, rgb in enumerate(frames):
        faces = stream.add(Frame(rgb, k, k / fps))
        largest = max(faces, key=lambda f: float(f.box_xyxy[2] - f.box_xyxy[0]), default=None)
        points.append(None if largest is None else largest.landmarks_xy)
    return points


def _write(
    frames: Sequence[U8], points: Sequence[F32 | None], name: str, file: Path, fps: float, bits: float
) -> None:
    rng = np.random.default_rng([SEED, *file.stem.encode()])
    if name in SPECIES:
        craft = SPECIES[name]
        covers: Sequence[F32 | None] = [None] * len(frames)
        if craft.crossed:
            frames, covers = pass_before(frames, points, fps, rng)
        swap = LiveSwap(craft, rng, fps)
        frames = [
            rgb if at is None else swap.frame(rgb, at, cover)
            for rgb, at, cover in zip(frames, points, covers, strict=True)
        ]
    elif name != GENUINE:
        frames = genuine.SPECIES[name](genuine.Clip(frames, points, fps), rng)
    if name == genuine.LOW_RATE:
        h, w = frames[0].shape[:2]
        bits = LOW_RATE_BITS / (h * w * fps)
    genuine.code_as_call(frames, file, fps, bits)


def read(file: Path, seconds: float, most_fps: float = math.inf) -> tuple[list[U8], float]:
    """The first frames of a clip, about so many a second at most, the shorter side at most LARGEST_PX and
    both even, and their rate."""
    capture = cv2.VideoCapture(str(file))
    fps = float(capture.get(cv2.CAP_PROP_FPS)) or 25.0
    step = max(1, round(fps / most_fps))
    frames: list[U8] = []
    number = 0
    while number < seconds * fps:
        ok, bgr = capture.read()
        if not ok:
            break
        number += 1
        if (number - 1) % step:
            continue
        scale = min(1.0, LARGEST_PX / min(bgr.shape[:2]))
        size = tuple(int(side * scale) // 2 * 2 for side in bgr.shape[1::-1])
        small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        frames.append(np.ascontiguousarray(small[:, :, ::-1], np.uint8))
    capture.release()
    if not frames:
        raise UsageError(f"{file.name} is no video that can be read: take it out of the folder")
    return frames, fps / step
