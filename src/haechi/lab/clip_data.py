"""The clips that the temporal head learns from and is measured on: planned, filmed, coded, and looked at.

Everything lies in ``OUT/temporal`` and is made once; a run that was cut off goes on. ``clips/ID.mp4`` are the
clips, ``clips.json`` says what each is, ``seen-KEY/ID.npz`` is what the product itself sees in it: the clip
is opened, the face found, followed and cut, and the swap network asked, by the code that a user's video
passes through. KEY changes with the two networks, so that after a training only the looking is done again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from haechi import models
from haechi.calibration import llr
from haechi.detectors import flicker
from haechi.detectors.swap import BATCH, middle
from haechi.errors import UsageError
from haechi.faces import FaceFinder
from haechi.lab.data import file_hash, half
from haechi.lab.forge import FAMILIES
from haechi.lab.forge.clips import FRAMES, MODES, Draw, draw_scene, encode, film, forge_over_time, wander
from haechi.lab.forge.motion import KINDS, displacement, motion
from haechi.lab.forge.reconstruct import file_at
from haechi.lab.forge.warping import warp
from haechi.lab.swap_data import Prepared
from haechi.media import open_media
from haechi.quality import light, sharpness
from haechi.settings import Settings
from haechi.types import F32, F64, U8, FaceQuality

STILLS = {"dfdc": 0.55, "ffhq-stylegan1": 0.22, "lfw": 0.18, "ffhq-1024": 0.05}
"""Where the faces come from."""
PLANNED = ("self_blend", "imitate_swap", "local_edit", "redrawn", "face_swap", "expression")
"""Families of the clips, in turn: four of lab/forge, stills of real swaps (DFDC), and stills that are
animated."""
PAIRS = {"train": 210, "val": 120}
"""Multiples of the number of families times that of modes: each meets each as often."""
LEAST_LIGHT, LEAST_SHARPNESS = 0.12, 0.15
"""Of a still: darker or softer ones would not be judged by the product."""
MAP_FACTS = 6
SEED = 11


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip. ``part`` is train, selection or reporting; ``mode`` how the forgery behaves over time (of a
    genuine clip that of its twin, so that both can be compared)."""

    name: str
    part: str
    group: str
    source: str
    forged: bool
    family: str
    mode: str
    fps: int
    crf: int
    row: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the product sees in a clip. vectors f32 (T, D): ``describe``; logits f64 (T,);
    times_s f64 (T,); llr f64 (T,) calibrated by the card; flicker f64 (3,): what the detector of that name
    measures, NaN where it would be silent."""

    vectors: F32
    logits: F64
    llr: F64
    times_s: F64
    flicker: F64
    face_px: float


def make(out: Path, pairs: dict[str, int] | None = None, log: Callable[[str], None] = print) -> list[Clip]:
    """Film and code what is missing of ``OUT/temporal/clips``; returns every clip. Needs ``OUT/prepared``."""
    folder = out / "temporal" / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    prepared = Prepared.open(out)
    clips: list[Clip] = []
    for split, count in (pairs or PAIRS).items():
        stills = _Stills(prepared, split)
        for n in range(count):
            clips += _pair(prepared, stills, split, n, folder)
            if n % 20 == 19:
                log(f"{split}: {n + 1} of {count} pairs of clips")
    (out / "temporal" / "clips.json").write_text(json.dumps([asdict(c) for c in clips], indent=0))
    return clips


def listed(out: Path) -> list[Clip]:
    """The clips that ``make`` made."""
    return [Clip(**row) for row in json.loads((out / "temporal" / "clips.json").read_text())]


class _Stills:
    """Rows of the prepared table, drawn so that persons are many: one of a person seen least often."""

    def __init__(self, prepared: Prepared, split: str) -> None:
        self.p, self.used = prepared, dict[str, int]()
        self.rows = {s: prepared.where(split=split, source=s, label="real") for s in STILLS}
        kept = prepared.folder / "reconstructed"
        self.drawn = [
            i for s in STILLS for i in self.rows[s] if file_at(kept, str(prepared.rows[i]["path"])).is_file()
        ]
        self.swaps = prepared.where(split=split, source="dfdc", label="fake")

    def genuine(self, rng: np.random.Generator, source: str = "") -> int:
        source = source or str(rng.choice(list(STILLS), p=list(STILLS.values())))
        return self._of(self.rows[source], rng)

    def swap(self, rng: np.random.Generator) -> int:
        return self._of(self.swaps, rng)

    def redrawn(self, rng: np.random.Generator) -> tuple[int, U8]:
        for _ in range(40 if self.drawn else 0):
            i = self._of(self.drawn, rng)
            picture = self.p.redrawn(i)
            if picture is not None:
                return i, picture
        raise UsageError("hardly any still was reconstructed: haechi train swap does that first")

    def _of(self, rows: list[int], rng: np.random.Generator) -> int:
        tried: list[int] = []
        for _ in range(300):
            i = int(rows[rng.integers(len(rows))])
            crop = np.asarray(self.p.crops[i])
            if light(crop) >= LEAST_LIGHT and sharpness(crop) >= LEAST_SHARPNESS:
                tried.append(i)
            if len(tried) == 6:
                break
        if not tried:
            raise UsageError("no still of this split is bright and sharp enough for a clip")
        return min(tried, key=lambda i: self.used.get(str(self.p.rows[i]["group"]), 0))

    def use(self, i: int) -> str:
        group = str(self.p.rows[i]["group"])
        self.used[group] = self.used.get(group, 0) + 1
        return group


def _pair(prepared: Prepared, stills: _Stills, split: str, n: int, folder: Path) -> list[Clip]:
    """Pair n of a split, from the random state (SEED, split, n): a genuine clip and a forged one."""
    rng = np.random.default_rng([SEED, split == "val", n])
    family = PLANNED[n % len(PLANNED)]
    mode = MODES[n // len(PLANNED) % len(MODES)]
    drawn: U8 | None = None
    other = -1
    if family == "redrawn":
        i, drawn = stills.redrawn(rng)
    elif family == "face_swap":
        i, other, mode = stills.genuine(rng, "dfdc"), stills.swap(rng), "constant"
        stills.use(other)
    else:
        i = stills.genuine(rng)
    mode = "moving" if family == "expression" else mode
    stills.use(i)
    rgb, mesh = np.array(prepared.crops[i], np.uint8), np.array(prepared.mesh[i], np.float32)
    scene = draw_scene(rng, rgb.shape[0], FRAMES)
    clips = []
    for forged, row in ((False, i), (True, other if other >= 0 else i)):
        facts = prepared.rows[row]
        group = str(facts["group"])
        name = f"{split}-{n:04d}-{'forged' if forged else 'genuine'}"
        part = "train" if split == "train" else half(group)
        clips.append(
            Clip(name, part, group, str(facts["source"]), forged, family, mode, scene.fps, scene.crf, row)
        )
    files = [folder / f"{c.name}.mp4" for c in clips]
    if all(f.is_file() for f in files):
        return clips
    if family == "face_swap":
        shown, base = [np.array(prepared.crops[other])] * FRAMES, rgb
        grounds = [rgb, shown[0]]
    else:
        if family == "expression":
            base, shown = rgb, animated(rgb, mesh, scene.fps, rng, FRAMES)
        else:
            function = FAMILIES[family].function
            draw: Draw = lambda g: function(rgb, mesh, g) if drawn is None else function(rgb, drawn, mesh, g)  # noqa: E731
            base, shown = forge_over_time(draw, mode, scene.fps, rng, FRAMES)
        grounds = [base, base]
    for file, frames, ground, salt in zip(files, ([base] * FRAMES, shown), grounds, (1, 2), strict=True):
        encode(film(frames, ground, scene, np.random.default_rng([SEED, n, salt])), file, scene)
    return clips


def animated(rgb: U8, mesh: F32, fps: float, rng: np.random.Generator, frames: int) -> list[U8]:
    """A still made to move its face: the still of each frame, u8 (S, S, 3), by one to three motions."""
    kinds = [str(k) for k in rng.choice(KINDS, int(rng.integers(1, 4)), replace=False)]
    times = np.arange(frames) / fps
    courses = {k: motion(rng, k, times) for k in kinds}
    # A blink may fall between the frames of a clip: some sway of the head is always there.
    courses.setdefault("turn", wander(rng, frames, fps, 0.3, 1.2) * np.float32(0.15))
    return [
        warp(rgb, mesh, displacement(mesh, {k: float(c[t]) for k, c in courses.items()}))
        for t in range(frames)
    ]


def describe(logits: F64 | F32, maps: F32, features: F32) -> F32:
    """What is known of each crop, f32 (n, 1 + MAP_FACTS + F): the logit (n,); of the map (n, h, w) in [0, 1]
    its mean, its brightest tenth, its brightest cell, the share of bright cells, and where its light lies (x
    and y in [-1, 1]); the features (n, F)."""
    n, h, w = maps.shape
    flat = np.sort(maps.reshape(n, -1), 1)
    weight = maps / maps.sum((1, 2), keepdims=True).clip(1e-6)
    x = weight.sum(1) @ np.linspace(-1, 1, w)
    y = weight.sum(2) @ np.linspace(-1, 1, h)
    tenth = flat[:, -max(1, h * w // 10) :].mean(1)
    columns = [logits, flat.mean(1), tenth, flat[:, -1], (flat > 0.5).mean(1), x, y]
    return np.concatenate([np.stack(columns, 1), features], 1).astype(np.float32)


class Looker:
    """The product's eyes: finder, tracker, crop and swap network of a folder of models."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.settings = Settings(models_dir=str(folder), threads=threads)
        self.finder = FaceFinder(self.settings)
        self.card = models.card("swap", self.settings).raw
        self.session = _session(folder / "swap.onnx", threads)
        self.key = file_hash([folder / "faces.onnx", folder / "swap.onnx"])[:12]
        self.step_s = float(models.card("flicker", self.settings).parameters["max_step_s"])

    def look(self, path: Path) -> Seen | None:
        """The main face of a clip; None when none is found long enough."""
        tracks = self.finder.find(open_media(path, self.settings))
        if not tracks or len(tracks[0].crops) < FRAMES // 2:
            return None
        track = tracks[0]
        outputs: list[list[NDArray[np.float32]]] = [[], [], []]
        for start in range(0, len(track.crops), BATCH):
            x = np.ascontiguousarray(
                middle(track.crops[start : start + BATCH]).transpose(0, 3, 1, 2), np.float32
            )
            for kept, value in zip(
                outputs, self.session.run(["logit", "map", "features"], {"pictures": x}), strict=True
            ):
                kept.append(value)
        logits, maps, features = (np.concatenate(o) for o in outputs)
        sizes = (track.boxes_xyxy[:, 2:] - track.boxes_xyxy[:, :2]).min(1)
        quality = FaceQuality(
            1, float(np.median(sizes)), float(np.median([sharpness(c) for c in track.crops])),
            float(np.median([light(c) for c in track.crops])),
        )  # fmt: skip
        each = llr(logits.astype(np.float64), quality, self.card["calibration"])
        run = flicker.dense_run(track, self.step_s)
        measured = flicker.measure(track, each, run) if run.stop - run.start >= 16 else np.full(3, np.nan)
        shares = np.asarray(1 / (1 + np.exp(-maps)), np.float32)
        return Seen(
            vectors=describe(logits.astype(np.float32), shares, features),
            logits=logits.astype(np.float64),
            llr=each,
            times_s=track.times_s[track.crop_index],
            flicker=measured,
            face_px=quality.face_px,
        )


def look_at_all(
    clips: list[Clip], out: Path, looker: Looker, log: Callable[[str], None] = print
) -> list[Seen | None]:
    """What is seen in every clip, read from ``OUT/temporal/seen-KEY`` where it was looked at before."""
    folder = out / "temporal" / f"seen-{looker.key}"
    folder.mkdir(exist_ok=True)
    found: list[Seen | None] = []
    for n, clip in enumerate(clips):
        file = folder / f"{clip.name}.npz"
        if not file.is_file():
            seen = looker.look(out / "temporal" / "clips" / f"{clip.name}.mp4")
            part = file.with_suffix(".part.npz")
            np.savez(part, **({} if seen is None else {f: getattr(seen, f) for f in Seen.__slots__}))
            part.replace(file)
        with np.load(file) as stored:
            arrays = {f: stored[f] for f in stored.files}
        found.append(Seen(**{**arrays, "face_px": float(arrays["face_px"])}) if arrays else None)
        if n % 50 == 49:
            log(f"looked at {n + 1} of {len(clips)} clips")
    return found


def _session(file: Path, threads: int):  # type: ignore[no-untyped-def]
    """The swap network with its features as an output; of one that was exported without them, what goes into
    its last layer."""
    ort = models.runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    graph = (stored := onnx.load(str(file))).graph
    if "features" not in [o.name for o in graph.output]:
        made_by = {name: node for node in graph.node for name in node.output}
        node = made_by["logit"]
        while node.op_type != "Gemm":
            node = made_by[node.input[0]]
        graph.node.append(onnx.helper.make_node("Identity", [node.input[0]], ["features"]))
        graph.output.append(
            onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["n", None])
        )
    return ort.InferenceSession(stored.SerializeToString(), options, providers=["CPUExecutionProvider"])
