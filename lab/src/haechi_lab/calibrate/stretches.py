"""``haechi train stretches``: how far a stretch of a genuine video stands out from the rest of its face.

The tail of it goes into the card ``verdict``, where it sets the marks for stretches (``haechi.marks``). It is
taken from stills of people of the selection half before a moving camera, in which nobody blinks, and from
clips of people who talk, of which there are few; the further of both counts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from haechi.bench.result import write_json
from haechi.errors import UsageError
from haechi.marks import contrasts
from haechi.pipeline import Pipeline
from haechi.settings import Settings
from haechi_lab.calibrate.fusion import tail
from haechi_lab.evaluate.weakest_link import Faces, Studio, still
from haechi_lab.export.onnx import write_card

STILLS, LENGTH_S, SEED = 40, 60.0, 57
SHOWN = (0.5, 0.9, 0.99, 1.0)
LEAST = 30
"""Of fewer stretches no tail is taken."""

Contrasts = Mapping[str, Sequence[float]]
"""Of the stretches of one clip, by detector."""


def seen_in(clip: Path, pipeline: Pipeline) -> Contrasts:
    """What stands out in one clip."""
    media = pipeline.media(clip)
    tracks = pipeline.faces(media)
    evidence = pipeline.evidence(media, tracks, pipeline.quality(media, tracks))
    return {e.detector: [c for c in contrasts(e.segments) if c is not None] for e in evidence if e.segments}


def furthest(kinds: Mapping[str, Sequence[Contrasts]]) -> dict[str, dict[str, float]]:
    """For each detector the block in which both numbers are the largest of all kinds of clips. Raises
    UsageError where no kind has stretches enough."""
    out: dict[str, dict[str, float]] = {}
    for name in sorted({name for clips in kinds.values() for clip in clips for name in clip}):
        pools = [[c for clip in clips for c in clip.get(name, ())] for clips in kinds.values()]
        tails = [tail(np.array(pool)) for pool in pools if len(pool) >= LEAST]
        if not tails:
            raise UsageError(f"{name}: too few stretches to set marks by; name more or longer clips")
        out[name] = {key: max(t[key] for t in tails) for key in ("decile", "nats")}
    return out


def run(
    data: Path, filmed: Path, out: Path, results: Path, command: str, log: Callable[[str], None] = print
) -> dict[str, Any]:
    """Write ``stretches`` into the card ``verdict`` in ``out/models``, and results/stretches.json. ``data``:
    the shards; ``filmed``: a folder of genuine clips of people who talk."""
    models = out / "models"
    pipeline = Pipeline(Settings(models_dir=str(models), threads=1))
    kinds = {
        "stills before a moving camera": _told(_of_stills(data, pipeline), log),
        "people who talk": _told((seen_in(f, pipeline) for f in sorted(filmed.glob("*.mp4"))), log),
    }
    blocks = furthest(kinds)
    raw = json.loads((models / "verdict.json").read_text())
    write_card({**raw, "parameters": {**raw["parameters"], "stretches": blocks}}, models)
    rows = [
        [name, kind, str(len(clips)), str(len(pool)), *(f"{np.quantile(pool, q):.2f}" for q in SHOWN)]
        for name in blocks
        for kind, clips in kinds.items()
        if (pool := [c for clip in clips for c in clip.get(name, ())])
    ]  # fmt: skip
    columns = ["detector", "genuine clips", "clips", "stretches", "median, nats", "90%", "99%", "highest"]
    result: dict[str, Any] = {
        "schema": "haechi.stretches/1", "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"), "tails": blocks,
        "table": {"columns": columns, "rows": rows},
    }  # fmt: skip
    write_json(results / "stretches.json", result)
    return result


def _told(clips: Iterable[Contrasts], log: Callable[[str], None]) -> list[Contrasts]:
    out = []
    for clip in clips:
        out.append(clip)
        log(f"{len(out)}: " + ", ".join(f"{name} {max(c, default=0):.2f}" for name, c in clip.items()))
    return out


def _of_stills(data: Path, pipeline: Pipeline) -> Iterable[Contrasts]:
    faces, rng = Faces(data, "selection"), np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), rng)
        for one in map(still, faces.genuine(rng, STILLS)):
            scene = studio.scene(LENGTH_S)
            yield seen_in(studio.filmed([one] * len(scene.motion), one, scene), pipeline)
