"""Targets against what was measured: ``results/targets.json``, made from the other results alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from haechi.bench.result import write_json

Read = Callable[[Mapping[str, Any]], Any]
Target = tuple[str, str, str, float, Read]


def _score(result: Mapping[str, Any], score: str, rung: str, kind: str = "", figure: str = "auc") -> float:
    part = result["rungs"][rung]
    block = part["by_kind"][kind] if kind and part.get("by_kind") else part["overall"]
    return float(block["scores"][score][figure]["value"])


def _alarms(result: Mapping[str, Any], rung: str, level: str) -> float:
    return float(result["rungs"][rung]["overall"]["levels"][level]["false_alarms"]["value"])


def _worst_correlation(result: Mapping[str, Any], score: str) -> float:
    by = result["scores"][score]["by"]
    return max(abs(float(b["correlation_in_reals"]["value"])) for b in by.values())


def _least_matched(result: Mapping[str, Any]) -> float:
    return float(result["scores"]["verdict"]["by"]["sharpness"]["auc_matched"]["value"])


def _null(result: Mapping[str, Any]) -> float:
    return abs(float(result["null"]["all"]["value"]) - 0.5)


def _card(model: str, figure: str) -> Read:
    return lambda r: r["figures"][model]["auc"][figure]["value"]


def _faces(name: str) -> Read:
    return lambda r: r["reporting"][f"at_{r['threshold']:g}"]["all"][name]


def _swap_targets(result: str, *, auc: float, loss: float, recall: float) -> tuple[Target, ...]:
    """The targets of the face networks on DFDC, as the check asks them."""

    def lost(rung: str) -> Read:
        return lambda r: _score(r, "swap", "clean") - _score(r, "swap", rung)

    names = {"jpeg40": "JPEG 40", "half": "half size", "crf32": "H.264 at CRF 32"}
    return (
        (
            "swap: AUC, DFDC persons never trained on", result, ">=", auc,
            lambda r: _score(r, "swap", "clean"),
        ),
        *((f"swap: AUC lost at {n}", result, "<=", loss, lost(rung)) for rung, n in names.items()),
        (
            "swap: DFDC swaps found at 1% false alarms", result, ">=", recall,
            lambda r: _score(r, "swap", "clean", figure="tpr_at_fpr_0.01"),
        ),
    )  # fmt: skip


def _overlap(result: Mapping[str, Any]) -> float:
    return float(result["rungs"]["clean"]["localisation"]["self_blend"]["swap"]["iou"]["value"])


def _ece(model: str) -> Read:
    return lambda r: r["figures"][model]["ece"]["value"]


def _pace(role: str, over: str) -> Read:
    return lambda r: next(row[f"times_{over}"] for row in r["rows"] if row["role"] == role)


def _one_view(over: str) -> Read:
    """Of the fast network asked once a face, as a video's are."""
    return lambda r: next(row[f"times_{over}"] for row in r["rows"] if row["name"] == "swap, one view")


TARGETS: tuple[Target, ...] = (
    ("face finder: recall of the teacher's faces", "faces", ">=", 0.97, _faces("recall")),
    ("face finder: precision against the teacher", "faces", ">=", 0.97, _faces("precision")),
    ("face finder: landmark error / inter-ocular distance", "faces", "<=", 0.05, _faces("landmarks")),
    ("face finder: MB of weights", "faces", "<=", 1.0, lambda r: r["weights_bytes"] / 1e6),
    (
        "face finder: ms, 640 x 640 px, one core",
        "faces",
        "<=",
        10.0,
        lambda r: r["milliseconds_640x640_one_core"],
    ),
    *_swap_targets("dfdc", auc=0.91, loss=0.04, recall=0.50),
    ("map: overlap with the true mask, self-blending", "families", ">=", 0.55, _overlap),
    (
        "swap: AUC, mean over the families of pseudo-fakes, left out by halves",
        "unseen",
        ">=",
        0.90,
        lambda r: r["held"]["mean"]["value"],
    ),
    (
        "synthesis: AUC, mean over the generators, each left out in turn",
        "left-out",
        ">=",
        0.95,
        lambda r: r["held"]["mean"]["value"],
    ),
    ("verdict: expected calibration error", "cards", "<=", 0.03, _ece("verdict")),
    (
        "speed, one view as in a video: faces a second over those of the reference network",
        "baselines",
        ">=",
        1000,
        _one_view("anchor"),
    ),
    (
        "speed, one view as in a video: over those of EfficientNet-B4",
        "baselines",
        ">=",
        8,
        _one_view("b4"),
    ),
    (
        "speed, both ways round as in a photograph: over those of the reference network",
        "baselines",
        ">=",
        1000,
        _pace("fast", "anchor"),
    ),
    (
        "speed, both ways round as in a photograph: over those of EfficientNet-B4",
        "baselines",
        ">=",
        8,
        _pace("fast", "b4"),
    ),
    (
        "synthesis: AUC, StyleGAN against photographs",
        "cards",
        ">=",
        0.98,
        _card("synthesis", "StyleGAN, clean"),
    ),
    (
        "synthesis: AUC, Stable Diffusion 2.1 against photographs, JPEG 40",
        "cards",
        ">=",
        0.95,
        _card("synthesis", "Stable Diffusion, jpeg40"),
    ),
    ("metadata baseline on StyleGAN: distance of its AUC from 0.5", "gan", "<=", 0.05, _null),
    (
        "metadata baseline on Stable Diffusion: distance of its AUC from 0.5",
        "diffusion-matched",
        "<=",
        0.05,
        _null,
    ),
    ("false alarms, strong, clean", "photographs", "<=", 0.01, lambda r: _alarms(r, "clean", "strong")),
    ("false alarms, strong, JPEG 40", "photographs", "<=", 0.01, lambda r: _alarms(r, "jpeg40", "strong")),
    ("false alarms, some or above, clean", "photographs", "<=", 0.05, lambda r: _alarms(r, "clean", "some")),
    (
        "false alarms, some or above, JPEG 40",
        "photographs",
        "<=",
        0.05,
        lambda r: _alarms(r, "jpeg40", "some"),
    ),
    (
        "swap: worst rank correlation of reals with quality",
        "confounders",
        "<=",
        0.2,
        lambda r: _worst_correlation(r, "swap"),
    ),
    (
        "synthesis: worst rank correlation of reals with quality",
        "confounders",
        "<=",
        0.2,
        lambda r: _worst_correlation(r, "synthesis"),
    ),
    ("verdict: AUC among fakes and reals of equal sharpness", "confounders", ">=", 0.80, _least_matched),
)
"""What, which result, the target, how it is read."""


def write(results: Path) -> dict[str, Any]:
    """Write ``results/targets.json`` and return it. A result that is not there is a row that says so."""
    rows = []
    for what, name, sign, bar, read in TARGETS:
        file = results / f"{name}.json"
        if not file.is_file():
            rows.append([what, "not measured", f"{sign} {bar:g}", "no"])
            continue
        value = float(read(json.loads(file.read_text())))
        holds = value >= bar if sign == ">=" else value <= bar
        rows.append([what, f"{value:.3f}", f"{sign} {bar:g}", "yes" if holds else "**no**"])
    out = {
        "schema": "haechi.targets/1",
        "command": "haechi train targets",
        "table": {"columns": ["what", "measured", "target", "met"], "rows": rows},
    }
    write_json(results / "targets.json", out)
    return out
