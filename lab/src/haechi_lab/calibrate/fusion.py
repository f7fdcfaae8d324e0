"""From calibrated evidence to one verdict: a model a manner of forgery, the marks, and the domain outside
which faces are not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haechi.bench.metrics import auc
from haechi.calibration import llr
from haechi.models import Calibration
from haechi.types import F64
from haechi.verdict import log_odds
from haechi_lab.calibrate.raw_scores import Probed
from haechi_lab.data.samples import PAIRS
from haechi_lab.export import cards
from haechi_lab.training.logistic import balanced, logistic

BLENDED_FAKES = ("blended-gan-face",)
SWAP_FAKES = ("face-swap", *BLENDED_FAKES, *PAIRS)
DRAWN_FAKES = ("gan-face", "diffusion-face")
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "swap": (*SWAP_FAKES, *DRAWN_FAKES), "synthesis": (*BLENDED_FAKES, *DRAWN_FAKES),
}  # fmt: skip
"""Detectors whose logits are calibrated, and the kinds of forgery that each answers for."""
MANNERS: Mapping[str, tuple[str, ...]] = {
    "changed": ("face-swap", *PAIRS), "blended": BLENDED_FAKES, "drawn": DRAWN_FAKES,
}  # fmt: skip
"""A face is forged in one of these manners, each as likely as the other: changed, replaced by a generated
face that was blended in, drawn as a whole. For each the evidence of those detectors is weighed that answer
for it."""
CAP_FOR, CAP_AGAINST = 4.0, 2.5
"""Nats. A detector may make manipulation 55 times likelier, and 12 times less likely, never more: there are a
few hundred genuine faces to calibrate on, and absence of traces is weaker evidence than their presence."""
LEAST_OF_A_SOURCE = 250
"""Of fewer pictures the strict quantile is one picture."""
STRONG, SOME = 0.9975, 0.96
"""Quantiles of genuine pictures for the two marks: stricter than promised, since persons are few."""
USUAL = ("clean", "jpeg40")
BOOTSTRAPS = 60
FLICKER = 1.0
"""Weight of what ``flicker`` says, which its own card caps at a ratio of two; it was not fitted with the
others."""
MAX_HALFTONE = 1.5
"""Beyond it a face counts as printed. Of 648 genuine and forged validation pictures from a camera or
a network all are below 1.28, but for press photographs of before 2004 (up to 1.51, perhaps from paper); of 60
portraits printed and scanned by ``remade`` all are above 1.64."""


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
    raw_model = joined(used, evidence, names)
    alignment = Alignment.of(raw_model, used, evidence)
    model = alignment.applied(raw_model)
    groups = sorted({p.group for p in used})
    where = np.array([groups.index(p.group) for p in used])
    rng = np.random.default_rng(5)
    resampled = []
    for _ in range(BOOTSTRAPS):
        count = np.bincount(rng.integers(len(groups), size=len(groups)), minlength=len(groups))
        resampled.append(alignment.applied(joined(used, evidence, names, count[where] + 1e-9)))
    fused = np.array([log_odds(t, model) for t in evidence])
    marks = marks_of(fused, used)

    def reaches(name: str) -> bool:
        return log_odds({name: CAP_FOR}, model) >= marks["some"]

    return {
        "name": "verdict",
        "version": "0.1.0",
        "task": "weighs the evidence and sets the two thresholds",
        "licence": "Apache-2.0",
        "parameters": {
            "model": model,
            "resampled": resampled,
            "thresholds": marks,
            "tail": tail_of(fused, used),
            "domain": domain,
        },
        "training": {
            "data": [
                "the selection half (by person) of the validation split, clean and degraded: "
                + ", ".join(dict.fromkeys(p.rung for p in used))
            ],
            "terms": cards.TERMS,
            "faces": len(used),
            "groups": len(groups),
        },
        "limits": [
            "the probability holds where as many pictures are forged as genuine; "
            "where forgeries are rare it is too high",
            "no guarantee for a method of forgery that was never seen",
            "of many faces, or in a long video, signs on one must be stronger to count: "
            "a forged face in a crowd may stay below the marks",
            *(f"{n} alone, however sure, stays below the marks" for n in names if not reaches(n)),
        ],
    }


def joined(
    used: Sequence[Probed],
    evidence: Sequence[Mapping[str, float]],
    names: Sequence[str],
    times: F64 | None = None,
) -> dict[str, Any]:
    """The ``model`` of the verdict's card: for each manner a logistic regression, over the detectors that
    answer for it, on its forgeries and all genuine faces. ``times``: how often each face counts, f64 (n,)."""
    y = np.array([p.label for p in used], np.float64)
    often = np.ones(len(used)) if times is None else times
    out = {}
    for manner, kinds in MANNERS.items():
        rows = np.array([not p.label or p.kind in kinds for p in used])
        mine = [p for p, here in zip(used, rows, strict=True) if here]
        its_own = [n for n in names if set(kinds) & set(ANSWERS[n])]
        x = np.array([[t.get(n, 0.0) for n in its_own] for t in evidence])
        if not any(p.label for p in mine):
            continue
        weight = balanced([p.label for p in mine], [p.source for p in mine]) * often[rows]
        w = logistic(x[rows], y[rows], weight)
        # A negative weight would let a finding speak for innocence: correlated inputs, no knowledge.
        weights = {n: round(max(float(v), 0.0), 4) for n, v in zip(its_own, w, strict=False)}
        out[manner] = {"weights": {**weights, "flicker": FLICKER}, "intercept": round(float(w[-1]), 4)}
    return {"manners": out}


@dataclass(frozen=True, slots=True)
class Alignment:
    """What makes the log-odds of several manners comparable. offsets: added to each manner's, so that genuine
    faces reach the same value in each as seldom (the quantile SOME of the worst part, as of a mark) and none
    drowns the others; slope, intercept: of the log-odds of the likeliest manner then, so that they are those
    of manipulation (Platt 1999)."""

    offsets: Mapping[str, float]
    slope: float
    intercept: float

    @staticmethod
    def of(
        model: Mapping[str, Any], used: Sequence[Probed], evidence: Sequence[Mapping[str, float]]
    ) -> Alignment:
        """From a model of ``joined`` and the faces that it was fitted on."""
        offsets = {}
        ways = []
        for manner, way in model["manners"].items():
            alone = np.array([log_odds(t, {"manners": {manner: way}}) for t in evidence])
            offsets[manner] = -_mark(alone, used, SOME)
            ways.append(alone + offsets[manner])
        fused = np.max(ways, 0)
        weight = balanced([p.label for p in used], [p.source for p in used])
        slope, intercept = logistic(fused[:, None], np.array([p.label for p in used], np.float64), weight)
        return Alignment(offsets, max(float(slope), 1e-3), float(intercept))

    def applied(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The model with both in its weights and intercepts: the largest of aligned values, times a slope, is
        the largest of the values times the slope."""
        return {
            "manners": {
                manner: {
                    "weights": {n: round(self.slope * w, 4) for n, w in way["weights"].items()},
                    "intercept": round(
                        self.slope * (way["intercept"] + self.offsets[manner]) + self.intercept, 4
                    ),
                }
                for manner, way in model["manners"].items()
            }
        }


def photograph(p: Probed) -> bool:
    """Genuine, and not half of a pseudo-fake's pair, which may be altered as nobody's photographs are."""
    return not p.label and not p.source.startswith("pairs-")


def marks_of(fused: F64, used: Sequence[Probed]) -> dict[str, float]:
    """The two marks on fused log-odds f64 (n,)."""
    marks = {n: _mark(fused, used, q) for n, q in (("strong", STRONG), ("some", SOME))}
    return {**marks, "some": min(marks["some"], marks["strong"])}


def tail_of(fused: F64, used: Sequence[Probed]) -> dict[str, float]:
    """The ``tail`` of genuine faces, as they usually come (USUAL), from which the marks for many follow."""
    genuine = np.array([photograph(p) and p.rung in USUAL for p in used])
    return tail(fused[genuine if genuine.any() else np.array([not p.label for p in used])])


def tail(values: F64) -> dict[str, float]:
    """The block of ``haechi.marks.Tail``: how the upper tail of genuine values f64 (n,) falls, by its decile
    and the mean excess over it, the scale of an exponential tail (Pickands 1975)."""
    decile = float(np.quantile(values, 0.9))
    excess = values[values > decile] - decile
    return {"decile": round(decile, 4), "nats": round(float(excess.mean()) if len(excess) else 0.0, 4)}


def _mark(fused: F64, used: Sequence[Probed], quantile: float) -> float:
    """The mark that at most 1 - quantile of genuine pictures pass, on the worst of: all, clean, JPEG 40, and
    each source with enough of them: no kind of photograph may carry the false alarms of the others."""
    rungs, sources = np.array([p.rung for p in used]), np.array([p.source for p in used])
    genuine = np.array([photograph(p) for p in used])
    genuine = genuine if genuine.any() else np.array([not p.label for p in used])
    parts = [genuine, genuine & (rungs == "clean"), genuine & (rungs == "jpeg40")]
    parts += [
        part for s in sorted(set(sources)) if (part := genuine & (sources == s)).sum() >= LEAST_OF_A_SOURCE
    ]
    return round(max(float(np.quantile(fused[p], quantile)) for p in parts if p.any()), 4)


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
