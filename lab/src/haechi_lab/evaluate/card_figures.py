"""``haechi train measure``: the figures that the cards carry, and the experiments behind them, from the
reporting half of the validation data, which neither training nor calibration saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi.bench.metrics import Ranking, ece_statistic, figure, mean_statistic
from haechi.bench.result import write_json
from haechi.faces.network import FinderNetwork
from haechi.settings import Settings
from haechi.types import F64
from haechi.verdict import log_odds
from haechi_lab.calibrate.fit import RUNGS, measured
from haechi_lab.calibrate.fusion import ANSWERS, DRAWN_FAKES, SWAP_FAKES, inside, judged, photograph
from haechi_lab.calibrate.raw_scores import Probed
from haechi_lab.data import corpus
from haechi_lab.data.samples import PAIRS
from haechi_lab.evaluate import face_finder as measure_faces
from haechi_lab.evaluate.confounders import confounder_report
from haechi_lab.evaluate.left_out import PHOTOGRAPHS
from haechi_lab.export.onnx import write_card
from haechi_lab.inputs import SEARCH_PX
from haechi_lab.pseudo_fakes import FAMILIES

LARGE = "ffhq-1024"
REAL_FORGERIES = {"changed": ("face-swap", "blended-gan-face"), "drawn": DRAWN_FAKES}
"""By manner, without the pseudo-fakes that the lab makes itself."""
Test = Callable[[Probed], bool]


def measure(data: Path, weights: Path, out: Path, results: Path, command: str) -> None:
    """Write faces.json, confounders.json and cards.json into the results, and the figures into the cards."""
    models = out / "models"
    faces = faces_figures(data, weights, models)
    write_json(results / "faces.json", {"schema": "haechi.faces/1", "command": command, **faces})
    raw = {p.stem: json.loads(p.read_text()) for p in models.glob("*.json")}
    probes = measured(out / "val" / "reporting.csv", models, out)
    used, scores = _scored(probes, raw)
    figures = {
        "swap": _swap(used, scores["swap"]),
        "synthesis": _synthesis(used, scores["synthesis"]),
        "verdict": _verdict(used, scores["verdict"], raw["verdict"]["parameters"]["thresholds"]),
        "faces": faces["card"],
    }
    for name, block in figures.items():
        write_card({**raw[name], "figures": block}, models)
    write_json(results / "cards.json", {"schema": "haechi.cards/1", "command": command, "figures": figures})
    write_json(results / "confounders.json", {"command": command, **_confounders(used, scores)})


def _scored(probes: Sequence[Probed], raw: dict[str, Any]) -> tuple[list[Probed], dict[str, F64]]:
    """The faces inside the domain of the verdict's card, and their calibrated scores; NaN where a detector
    measured nothing."""
    parameters = raw["verdict"]["parameters"]
    used = [p for p in probes if p.faces and inside(p, parameters["domain"])]
    calibrations = {n: raw[n]["calibration"] for n in ANSWERS}
    evidence = [judged(p, calibrations) for p in used]
    fused = np.array([log_odds(t, parameters["model"]) for t in evidence])
    return used, {n: np.array([t.get(n, np.nan) for t in evidence]) for n in calibrations} | {
        "verdict": fused
    }


def faces_figures(data: Path, weights: Path, models: Path) -> dict[str, Any]:
    """Figures of the finder at its card's threshold, from the reporting half."""
    settings = Settings(models_dir=str(models), threads=1)
    threshold = float(json.loads((models / "faces.json").read_text())["threshold"])
    figures: dict[str, Any] = measure_faces.measure(data, weights, settings, "reporting", (threshold,))
    finder = FinderNetwork(settings)
    portrait = next(rgb for source, _, rgb in measure_faces.pictures(data, "reporting") if source == LARGE)
    square = np.asarray(cv2.resize(portrait, (640, 640), interpolation=cv2.INTER_AREA), np.uint8)
    overall = figures[f"at_{threshold:g}"]["all"]
    card = {
        "recall": {
            "value": overall["recall"],
            "what": "of the teacher's faces (score >= 0.6, side >= 32 px), reporting half",
        },
        "precision": {
            "value": overall["precision"],
            "what": "against the teacher's faces (score >= 0.3), reporting half",
        },
        "landmark_error": {
            "value": overall["landmarks"],
            "what": "mean distance over the inter-ocular distance",
        },
    }
    return {
        "threshold": threshold, "reporting": figures, "card": card,
        "against_people": measure_faces.against_people(data, settings),
        "milliseconds_640x640_one_core": round(
            measure_faces.timing(lambda: finder.detect(square, SEARCH_PX)), 2
        ),
        "weights_bytes": (models / "faces.onnx").stat().st_size,
    }  # fmt: skip


def _auc(used: Sequence[Probed], score: np.ndarray, keep: Test, what: str) -> dict[str, Any]:
    index = [i for i, p in enumerate(used) if keep(p) and np.isfinite(score[i])]
    y = np.array([used[i].label for i in index])
    value = figure(Ranking(y, score[index]).auc, [used[i].group for i in index])
    return {**value.as_dict(), "what": what}


def _on(source: str, rung: str) -> Test:
    return lambda p: p.source == source and p.rung == rung


def _diffusion(p: Probed) -> bool:
    picture = photograph(p) and p.source in ("lfw", "ffhq-stylegan1")
    return p.rung == "jpeg40" and (p.kind == "diffusion-face" or picture)


def _swap(used: Sequence[Probed], score: np.ndarray) -> dict[str, Any]:
    out = {f"DFDC, {r}": _auc(used, score, _on("dfdc", r), "DFDC persons never trained on") for r in RUNGS}
    for family in PAIRS:
        what = f"pseudo-fakes of unseen persons: {FAMILIES[family].what}"
        out[family.replace("_", " ")] = _auc(used, score, _on(f"pairs-{family}", "clean"), what)
    return {"auc": out | _others(used, score, SWAP_FAKES + DRAWN_FAKES)}


def _synthesis(used: Sequence[Probed], score: np.ndarray) -> dict[str, Any]:
    what = "StyleGAN faces against photographs"
    out = {f"StyleGAN, {r}": _auc(used, score, _on("ffhq-stylegan1", r), what) for r in RUNGS}
    what = "Stable Diffusion 2.1 portraits against LFW and FFHQ photographs, all as JPEG 40"
    out["Stable Diffusion, jpeg40"] = _auc(used, score, _diffusion, what)
    return {"auc": out | _others(used, score, DRAWN_FAKES)}


def _others(used: Sequence[Probed], score: np.ndarray, kinds: Sequence[str]) -> dict[str, Any]:
    """Forgeries of these kinds from the other sources, against genuine faces of their own source or, where it
    has none, photographs of all."""
    out: dict[str, Any] = {}
    names = {entry.name for entry in corpus.SOURCES}
    for source in sorted({p.source for p in used if p.kind in kinds and p.source in names}):
        own = any(p.source == source and not p.label for p in used)
        against = "genuine pictures of the same source" if own else "photographs"
        for rung in ("clean", "jpeg40"):
            out[f"{source}, {rung}"] = _auc(
                used, score, _against(source, rung, kinds, own), f"against {against}"
            )
    return out


def _against(source: str, rung: str, kinds: Sequence[str], own: bool) -> Test:
    def asked(p: Probed) -> bool:
        forged = p.source == source and p.kind in kinds
        genuine = not p.label and (p.source == source if own else p.source in PHOTOGRAPHS)
        return p.rung == rung and (forged or genuine)

    return asked


def _verdict(used: Sequence[Probed], fused: np.ndarray, marks: dict[str, float]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for level in ("strong", "some"):
        rates = {}
        for rung in RUNGS:
            real = [i for i, p in enumerate(used) if photograph(p) and p.rung == rung]
            alarm = (fused[real] >= marks[level]).astype(float)
            rate = figure(mean_statistic(alarm), [used[i].group for i in real], is_rate=True)
            rates[rung] = {**rate.as_dict(), "what": "photographs of persons never seen"}
        out[f"false_alarms_{level}"] = rates
    for level in ("strong", "some"):
        out[f"found_{level}"] = {
            manner: {rung: _found(used, fused >= marks[level], kinds, rung) for rung in RUNGS}
            for manner, kinds in REAL_FORGERIES.items()
        }
    fakes = SWAP_FAKES + DRAWN_FAKES
    index = [i for i, p in enumerate(used) if not p.label or p.kind in fakes]
    p = 1 / (1 + np.exp(-fused[index]))
    y = np.array([used[i].label for i in index])
    groups = [used[i].group for i in index]
    out["ece"] = {
        **figure(ece_statistic(y, p), groups).as_dict(),
        "what": "all pictures of the reporting half, clean and degraded",
    }
    return out


def _found(used: Sequence[Probed], hit: np.ndarray, kinds: Sequence[str], rung: str) -> dict[str, Any]:
    """The share of forgeries of these kinds that passes a mark, bool (n,); every source counts alike."""
    rates = []
    for source in sorted({p.source for p in used if p.kind in kinds}):
        here = [i for i, p in enumerate(used) if p.kind in kinds and p.source == source and p.rung == rung]
        if here:
            rates.append(float(hit[here].mean()))
    value = None if not rates else round(float(np.mean(rates)), 4)
    return {"value": value, "what": f"mean of {len(rates)} sources, persons or pictures never seen"}


def _confounders(used: Sequence[Probed], scores: dict[str, np.ndarray]) -> dict[str, Any]:
    """Do scores of genuine faces follow quality, and are forgeries found among reals as sharp as they?"""
    keep = [i for i, p in enumerate(used) if not p.source.startswith("pairs-")]
    quality = {
        "sharpness": [used[i].sharpness for i in keep], "size": [used[i].face_px for i in keep],
        "light": [used[i].light for i in keep], "compression": [used[i].blockiness for i in keep],
    }  # fmt: skip
    return confounder_report(
        [used[i].label for i in keep],
        {n: s[keep] for n, s in scores.items()},
        quality,
        [used[i].group for i in keep],
    )
