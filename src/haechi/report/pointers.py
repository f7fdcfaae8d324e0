"""What must not be missed below the verdict: claims are never weighed in it, but some are told beside it."""

from __future__ import annotations

from collections.abc import Iterator

from haechi.types import Claim, Reason, Report

_SAYS_AI = frozenset({"source_ai", "source_ai_part", "c2pa_earlier_ai"})


def pointers(report: Report) -> list[Reason]:
    """One sentence for each thing that a file, or a list, says and that most readers would want to know
    before they act on the verdict. Each says that it was not weighed."""
    answered = [claim for claim in report.claims if claim.outcome == "answered"]
    spoken = {code for claim in answered for code in _codes(claim)}
    order = ("claim_points_ai", "claim_points_altered", "claim_points_known")
    return [Reason(code) for code in order if code in spoken]


def _codes(claim: Claim) -> Iterator[str]:
    code = claim.reason.code
    if code == "metadata_says_ai" or any(fact.code in _SAYS_AI for fact in claim.facts):
        yield "claim_points_ai"
    if code == "provenance_altered":
        yield "claim_points_altered"
    if code == "known_match":
        yield "claim_points_known"
