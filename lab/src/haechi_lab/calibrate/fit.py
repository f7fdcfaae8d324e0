"""``haechi train calibrate``: from raw logits on the selection half to calibrated evidence, a fused verdict
and its two thresholds. Nothing here sees the reporting half."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import haechi
from haechi.bench.metrics import auc
from haechi.calibration import llr
from haechi.models import Calibration
from haechi.settings import Settings
from haechi.types import F64
from haechi.verdict import log_odds
from haechi_lab.calibrate import map_threshold, raw_scores
from haechi_lab.calibrate.raw_scores import Probed, Sample, as_row, probe_all
from haechi_lab.data.samples import PAIRS, laid_out
from haechi_lab.data.shards import file_hash, half
from haechi_lab.evaluate.face_finder import choose_threshold
from haechi_lab.export import cards
from haechi_lab.export.onnx import write_card
from haechi_lab.training.logistic import balanced, logistic

RUNGS = ("clean", "jpeg40", "quarter", "compound")
SWAP_FAKES = ("face-swap", "blended-gan-face", *PAIRS)
DRAWN_FAKES = ("gan-face", "diffusion-face")
ANSWERS: Mapping[str, tuple[str, ...]] = {"swap": (*SWAP_FAKES, *DRAWN_FAKES), "synthesis": DRAWN_FAKES}
"""Detectors whose logits are calibrated, and the kinds of forgery that each answers for."""
CAP_FOR, CAP_AGAINST = 4.0, 2.5
"""Nats. A detector may make manipulation 55 times likelier, and 12 times less likely, never more: there are a
few hundred genuine faces to calibrate on, and absence of traces is weaker evidence than their presence."""
LEAST_OF_A_SOURCE = 250
"""Of fewer pictures the strict quantile is one picture."""
STRONG, SOME = 0.9975, 0.96
"""Quantiles of genuine pictures for the two marks: stricter than promised, since persons are few."""
MEASURES = ("faces/*.py", "quality.py", "detectors/*.py", "models/*.py", "bench/corruptions.py")
"""The code of Haechi, besides ``raw_scores`` here, whose change makes measurements out of date."""
SIZE_EDGES = (90.0, 170.0, 1e9)
BOOTSTRAPS = 60
MAX_HALFTONE = 1.5
"""Beyond it a face counts as printed. Of 648 genuine and forged validation pictures from a camera or
a network all are below 1.28, but for press photographs of before 2004 (up to 1.51, perhaps from paper); of 60
portraits printed and scanned by ``remade`` all are above 1.64."""


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
    for name, cut_at in map_threshold.choose(folder / "selection.csv", models).items():
        raw = json.loads((models / f"{name}.json").read_text())
        write_card({**raw, "output": {**raw["output"], "map_threshold": cut_at}}, models)
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


def judged(p: Probed, calibrations: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Calibrated llr of every detector that measured a face."""
    return {
        n: float(llr(np.array([getattr(p, n)]), p.quality(), Calibration.of(c, n))[0])
        for n, c in calibrations.items()
        if getattr(p, n) is not None
    }


def verdict_card(probes: Sequence[Probed], calibrations: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Fusion, its bootstrap over groups, thresholds, and the domain outside which faces are not judged."""
    domain = find_domain(probes)
    used = [p for p in probes if p.faces and inside(p, domain)]
    names = list(calibrations)
    evidence = [judged(p, calibrations) for p in used]
    x = np.array([[t.get(n, 0.0) for n in names] for t in evidence])
    y = np.array([p.label for p in used], np.float64)
    weight = balanced([p.label for p in used], [p.source for p in used])
    model = _model(names, logistic(x, y, weight))
    groups = sorted({p.group for p in used})
    where = np.array([groups.index(p.group) for p in used])
    rng = np.random.default_rng(5)
    resampled = []
    for _ in range(BOOTSTRAPS):
        count = np.bincount(rng.integers(len(groups), size=len(groups)), minlength=len(groups))
        resampled.append(_model(names, logistic(x, y, weight * count[where] + 1e-9)))
    fused = np.array([log_odds(t, model) for t in evidence])
    real = y == 0
    marks = {n: _mark(fused, real, used, q) for n, q in (("strong", STRONG), ("some", SOME))}
    marks["some"] = min(marks["some"], marks["strong"])

    def reaches(name: str) -> bool:
        return bool(model["weights"][name] * CAP_FOR + model["intercept"] >= marks["some"])

    return {
        "name": "verdict",
        "version": "0.1.0",
        "task": "weighs the evidence and sets the two thresholds",
        "licence": "Apache-2.0",
        "parameters": {"model": model, "resampled": resampled, "thresholds": marks, "domain": domain},
        "training": {
            "data": [
                "the selection half (by person) of the validation split, clean and degraded: "
                + ", ".join(RUNGS)
            ],
            "terms": cards.TERMS,
            "faces": len(used),
            "groups": len(groups),
        },
        "limits": [
            "the probability holds where as many pictures are forged as genuine; "
            "where forgeries are rare it is too high",
            "no guarantee for a method of forgery that was never seen",
            "evidence is averaged over all faces of a picture: "
            "one forged face in a crowd may stay below the marks",
            *(f"{n} alone, however sure, stays below the marks" for n in names if not reaches(n)),
        ],
    }


def _mark(fused: F64, real: np.ndarray, used: Sequence[Probed], quantile: float) -> float:
    """The mark that at most 1 - quantile of genuine pictures pass, on the worst of: all, clean, JPEG 40, and
    each source with enough of them: no kind of photograph may carry the false alarms of the others. The
    genuine halves of pseudo-fake pairs are left out: some were altered as nobody's photographs are."""
    rungs, sources = np.array([p.rung for p in used]), np.array([p.source for p in used])
    genuine = real & np.array([not p.source.startswith("pairs-") for p in used])
    genuine = genuine if genuine.any() else real
    parts = [genuine, genuine & (rungs == "clean"), genuine & (rungs == "jpeg40")]
    parts += [
        part for s in sorted(set(sources)) if (part := genuine & (sources == s)).sum() >= LEAST_OF_A_SOURCE
    ]
    return round(max(float(np.quantile(fused[p], quantile)) for p in parts if p.any()), 4)


def _model(names: list[str], w: F64) -> dict[str, Any]:
    # A negative weight would let a detector's finding speak for innocence: correlated inputs, not knowledge.
    weights = {n: round(max(float(v), 0.0), 4) for n, v in zip(names, w, strict=False)}
    # What flicker may say is capped at a ratio of two in its own card; it was not fitted with the others.
    return {"weights": {**weights, "flicker": 1.0}, "intercept": round(float(w[-1]), 4)}


def find_domain(probes: Sequence[Probed], least_auc: float = 0.65) -> dict[str, float]:
    """For each ground, the mildest limit beyond which the swap network still ranks forgeries (AUC >=
    least_auc)."""
    swaps = [p for p in probes if p.swap is not None and (not p.label or p.kind in SWAP_FAKES)]
    y = np.array([p.label for p in swaps])
    z = np.array([float(p.swap or 0.0) for p in swaps])

    def limit(values: F64, candidates: Sequence[float], width: float) -> float:
        for low, high in zip(candidates, [*candidates[1:], candidates[-1] * width], strict=True):
            near = (values >= low) & (values < high)
            if (
                min((near & (y == 0)).sum(), (near & (y == 1)).sum()) >= 40
                and auc(y[near], z[near]) >= least_auc
            ):
                return float(low)
        return float(candidates[-1])

    return {
        "min_face_px": limit(np.array([p.face_px for p in swaps]), (32, 40, 48, 64, 80, 100), 1.5),
        "min_sharpness": limit(
            np.array([p.sharpness for p in swaps]), (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4), 1.2
        ),
        "min_light": limit(np.array([p.light for p in swaps]), (0.03, 0.05, 0.07, 0.1, 0.14), 1.5),
        "min_jpeg_quality": 20.0,
        "max_halftone": MAX_HALFTONE,
    }


def inside(p: Probed, domain: dict[str, float]) -> bool:
    return (
        p.face_px >= domain["min_face_px"]
        and p.sharpness >= domain["min_sharpness"]
        and p.light >= domain["min_light"]
        and not p.turned
    )
