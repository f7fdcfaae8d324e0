"""``haechi train calibrate``: from raw logits on the selection half to calibrated evidence, a fused verdict
and its two thresholds. Nothing here sees the reporting half."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import haechi
from haechi.calibration import llr
from haechi.models import Calibration
from haechi.settings import Settings
from haechi.types import F64
from haechi_lab.calibrate import map_threshold, raw_scores
from haechi_lab.calibrate.fusion import ANSWERS, CAP_AGAINST, CAP_FOR, verdict_card
from haechi_lab.calibrate.raw_scores import Probed, Sample, as_row, probe_all
from haechi_lab.data.samples import laid_out
from haechi_lab.data.shards import file_hash, half
from haechi_lab.evaluate.face_finder import choose_threshold
from haechi_lab.export import cards
from haechi_lab.export.onnx import write_card
from haechi_lab.training.logistic import balanced, logistic

RUNGS = ("clean", "jpeg40", "quarter", "compound")
MEASURES = ("faces/*.py", "quality.py", "detectors/*.py", "models/*.py", "bench/corruptions.py")
"""The code of Haechi, besides ``raw_scores`` here, whose change makes measurements out of date."""
SIZE_EDGES = (90.0, 170.0, 1e9)


def run(data: Path, weights: Path, out: Path) -> None:
    """Write the calibrated cards of swap, synthesis, flicker and verdict into ``out/models``."""
    from haechi_lab.training.flicker import fit_flicker

    folder = laid_out(out)
    models = out / "models"
    for name in ANSWERS:
        raw = json.loads((models / f"{name}.json").read_text())
        write_card({**raw, "calibration": cards.IDENTITY}, models)
    raw = json.loads((models / "faces.json").read_text())
    threshold = choose_threshold(data, weights, Settings(models_dir=str(models), threads=1))
    write_card({**raw, "threshold": threshold}, models)
    probes = [p for p in measured(folder / "selection.csv", models, out) if not p.turned]
    _fit(probes, models)
    for name, of_map in map_threshold.choose(folder / "selection.csv", models).items():
        raw = json.loads((models / f"{name}.json").read_text())
        write_card({**raw, "output": {**raw["output"], **of_map}}, models)
    fit_flicker(data, models)


def _fit(probes: Sequence[Probed], models: Path) -> None:
    """Calibrate every network and weigh them into the verdict."""
    calibrations = {
        name: calibrate(probes, name, lambda p, kinds=kinds: p.kind in kinds)  # type: ignore[misc]
        for name, kinds in ANSWERS.items()
    }
    for name, calibration in calibrations.items():
        raw = json.loads((models / f"{name}.json").read_text())
        write_card({**raw, "calibration": calibration}, models)
    write_card(verdict_card(probes, calibrations), models)


def measured(manifest: Path, models: Path, out: Path, rungs: Sequence[str] = RUNGS) -> list[Probed]:
    """Raw measurements of a manifest, kept under the hash of everything that they follow from."""
    store = out / f"probed-{manifest.stem}-{probe_key(manifest, models, rungs)}.jsonl"
    if store.is_file():
        return [Probed(**json.loads(line)) for line in store.read_text().splitlines()]
    with manifest.open(newline="") as f:
        samples = [
            Sample(
                r["path"],
                int(r["label"] == "fake"),
                r["kind"],
                r["source"],
                r["group"],
                (manifest.parent / r["path"]).read_bytes(),
            )
            for r in csv.DictReader(f)
        ]
    assert all(half(s.group) == manifest.stem for s in samples)
    probes = list(probe_all(models, samples, rungs))
    store.write_text("".join(json.dumps(as_row(p)) + "\n" for p in probes))
    return probes


def probe_key(manifest: Path, models: Path, rungs: Sequence[str]) -> str:
    """Twelve digits that change with the manifest, the rungs, the weights, the finder's card, what the other
    cards say of input, crop and piece, and the code that measures. Not with figures or calibration: they are
    written from the measurements."""
    package = Path(haechi.__file__).parent
    code = [Path(raw_scores.__file__)]
    for pattern in MEASURES:
        files = sorted(package.glob(pattern))
        assert files, f"{pattern}: the code moved, and measurements would never be out of date"
        code += files
    weights = [models / f"{n}.onnx" for n in ("faces", "face_check", *ANSWERS)]
    weights = [file for file in weights if file.is_file()]
    finder = json.loads((models / "faces.json").read_text())
    inputs: list[object] = [{k: v for k, v in finder.items() if k not in ("figures", "card_sha256")}]
    for file in (models / f"{name}.json" for name in ("face_check", *ANSWERS)):
        card = json.loads(file.read_text()) if file.is_file() else {}
        inputs.append({k: card.get(k) for k in ("input", "crop", "piece")})
    parts = [json.dumps([*inputs, *rungs], sort_keys=True)]
    parts += [file_hash([file]) for file in (manifest, *weights, *code)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def calibrate(probes: Sequence[Probed], name: str, is_fake: Callable[[Probed], bool]) -> dict[str, Any]:
    """The ``calibration`` block of a card (haechi.calibration), from faces that the detector measured."""
    used = [p for p in probes if getattr(p, name) is not None and (not p.label or is_fake(p))]
    z: F64 = np.array([getattr(p, name) for p in used])
    y = np.array([p.label for p in used], np.float64)
    weight = balanced([p.label for p in used], [p.source for p in used])
    real = y == 0
    block: dict[str, Any] = {"cap_for": CAP_FOR, "cap_against": CAP_AGAINST, "bins": []}
    px = np.array([p.face_px for p in used])
    everywhere = logistic(z[:, None], y, weight)
    low = 0.0
    for edge in SIZE_EDGES:
        inside = (px >= low) & (px < edge)
        a, b = everywhere
        if min((inside & real).sum(), (inside & ~real).sum()) >= 100:
            # Balanced anew: that more faces of this size were forged in the data is no evidence about a face.
            here = [p for p, i in zip(used, inside, strict=True) if i]
            even = balanced([p.label for p in here], [p.source for p in here])
            a, b = logistic(z[inside, None], y[inside], even)
        block["bins"].append(
            {"below_px": edge, "slope": round(max(float(a), 0.0), 5), "intercept": round(float(b), 5)}
        )
        low = edge
    calibration = Calibration.of({**block, "genuine": []})
    llrs = np.array([
        llr(np.array([v]), p.quality(), calibration)[0]
        for v, p in zip(z, used, strict=True)
        if not p.label and not p.source.startswith("pairs-")
    ])  # fmt: skip
    block["genuine"] = [round(float(q), 3) for q in np.quantile(llrs, np.linspace(0, 1, 101))]
    return block
