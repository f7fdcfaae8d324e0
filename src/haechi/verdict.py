"""Evidence -> Verdict: logistic models over what the detectors say, one a manner of forgery, and two marks.

A face is forged in one manner or another: changed, or drawn as a whole. For each manner the card ``verdict``
has a logistic model (``weights`` for each detector, ``intercept``); the odds of manipulation are the mean of
their odds, a mixture of hypotheses. So a detector that knows a manner is not outvoted by one that does not.
The card also holds resampled copies for the interval, and the two marks on the fused log-odds. Detectors are
correlated, so their ratios are not simply added (standing rule 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from haechi import models
from haechi.settings import Settings
from haechi.types import CLEAR_RATIO, Evidence, Level, Quality, Reason, Verdict

INTERVAL = (0.05, 0.95)


def log_odds(llrs: Mapping[str, float], model: Mapping[str, Any]) -> float:
    """Fused log-odds of manipulation at even prior odds; a detector that abstained adds nothing."""
    ways = [
        float(way["intercept"]) + sum(float(way["weights"].get(k, 0.0)) * v for k, v in llrs.items())
        for way in model["manners"].values()
    ]
    return float(np.logaddexp.reduce(ways) - np.log(len(ways)))


def weighed(model: Mapping[str, Any]) -> set[str]:
    """The detectors that the model of a card counts."""
    return {name for way in model["manners"].values() for name in way["weights"]}


def decide(evidence: Sequence[Evidence], quality: Quality, settings: Settings) -> Verdict:
    """Level, calibrated probability with a 90% interval, the scores at which levels begin, and the reasons.

    Detectors that the card does not name are not weighed. Without scored evidence the level is ``unknown``:
    no face, too poor a picture, a failed detector. So it is, for want of an all-clear, when a detector failed
    or was left out, or the main face could not be judged."""
    card = models.load("verdict", settings).card.parameters
    marks = {name: float(1 / (1 + np.exp(-card["thresholds"][name]))) for name in ("some", "strong")}
    return replace(_decided(evidence, quality, card), thresholds=marks)


def _decided(evidence: Sequence[Evidence], quality: Quality, card: Mapping[str, Any]) -> Verdict:
    """The verdict by the parameters of its card, without the thresholds."""
    # What another package's detector says is shown; it was not fitted with the others, so it is not weighed.
    evidence = [e for e in evidence if e.detector in weighed(card["model"])]
    llrs = {e.detector: e.llr for e in evidence if e.llr is not None and _counts(e)}
    # A score that is no number is a breakdown too: compared with a mark it would pass for innocent.
    failed = [e for e in evidence if e.status == "failed" or (e.status == "scored" and not _counts(e))]
    if not llrs:
        return Verdict("unknown", None, None, (_why_unknown(quality, failed),))
    fused = log_odds(llrs, card["model"])
    around = np.array([log_odds(llrs, m) for m in card["resampled"]])
    low, high = (float(v) for v in np.quantile(1 / (1 + np.exp(-around)), INTERVAL))
    score = float(1 / (1 + np.exp(-fused)))
    level: Level = "none"
    if fused >= card["thresholds"]["strong"]:
        level = "strong"
    elif fused >= card["thresholds"]["some"]:
        level = "some"
    if level == "none" and failed:
        # What a broken examination would have found is not known: no all-clear without it.
        return Verdict("unknown", None, None, (Reason("unknown_failed", {"detector": failed[0].detector}),))
    left_out = [e for e in evidence if e.reason.code == "abstain_left_out"]
    if level == "none" and left_out:
        # The mark was set with all detectors, so it says nothing about fewer.
        return Verdict(
            "unknown", None, None, (Reason("unknown_left_out", {"detector": left_out[0].detector}),)
        )
    if level == "none" and quality.faces and quality.faces[0].issues:
        # Bystanders were judged, the main face was not: their innocence is not its own.
        return Verdict("unknown", None, None, (quality.faces[0].issues[0],))
    reasons = [Reason(f"level_{level}", {"threshold": round(float(card["thresholds"]["strong"]), 2)})]
    top = max((e for e in evidence if e.detector in llrs), key=lambda e: e.llr or 0.0)
    reasons.append(top.reason)
    if level == "none" and llrs[top.detector] >= np.log(CLEAR_RATIO):
        reasons.append(Reason("leaning", {"detector": top.detector}))
    faces = max(len(e.regions) for e in evidence)
    if faces > 1:
        reasons.append(Reason("faces_merged", {"n": faces}))
    reasons += [Reason("detector_failed_note", {"detector": e.detector}) for e in failed]
    return Verdict(level, score, (min(low, score), max(high, score)), tuple(reasons))


def _counts(evidence: Evidence) -> bool:
    return evidence.status == "scored" and evidence.llr is not None and bool(np.isfinite(evidence.llr))


def _why_unknown(quality: Quality, failed: Sequence[Evidence]) -> Reason:
    if failed:
        return Reason("unknown_failed", {"detector": failed[0].detector})
    if any(i.code == "no_face" for i in quality.issues):
        return Reason("unknown_no_face")
    if quality.faces and all(f.issues for f in quality.faces):
        return quality.faces[0].issues[0]
    return Reason("unknown_no_evidence")
