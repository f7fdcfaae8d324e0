"""What must not be missed below the verdict: claims are never weighed in it, but some are told beside it."""

from __future__ import annotations

from collections.abc import Iterator

from haechi.report.messages import say, sentence
from haechi.types import Claim, Reason, Report

# By the fact that says it, the plainest statement first: what a file says of how it came about goes before
# what can be read from the tools that it names.
_HEADLINES = {
    "source_ai": "file_says_ai",
    "source_ai_part": "file_says_ai_part",
    "label_ai": "file_says_ai_label",
    "meta_prompt": "file_says_ai",
    "label_ai_perhaps": "file_says_ai_perhaps",
    "label_ai_suspected": "file_says_ai_perhaps",
    "meta_generator": "file_says_ai_program",
    "meta_ai_system": "file_says_ai_program",
    "c2pa_earlier_ai": "file_says_ai_earlier",
}


def headline(report: Report) -> Reason | None:
    """That the file says of itself that AI made it, or had a part in it; None when it does not say so.

    It stands beside the verdict as a headline of its own and changes nothing in it. The codes begin with
    ``file_says_ai``."""
    answered = [claim for claim in report.claims if claim.outcome == "answered"]
    facts = {fact.code: fact for claim in reversed(answered) for fact in _facts(claim)}
    fact = next((facts[code] for code in _HEADLINES if code in facts), None)
    if fact is None:
        says_it = any(claim.reason.code == "metadata_says_ai" for claim in answered)
        return Reason("file_says_ai_or_part") if says_it else None
    code = _HEADLINES[fact.code]
    if code == "file_says_ai" and report.media.kind == "video":
        return Reason("file_says_ai_video")  # no generator of images made it
    return Reason(code, fact.params if code == "file_says_ai_program" else {})


def headline_reason(report: Report, lang: str) -> str:
    """The headline as a reason among others: that it was not weighed is in it. Empty without a headline."""
    admission = headline(report)
    return "" if admission is None else say("file_says_reason", lang, headline=sentence(admission, lang))


def pointers(report: Report) -> list[Reason]:
    """One sentence for each further thing that a file, or a list, says and that most readers would want to
    know before they act on the verdict. Each says that it was not weighed."""
    spoken = {code for claim in report.claims if claim.outcome == "answered" for code in _codes(claim)}
    order = ("claim_points_altered", "claim_points_known")
    return [Reason(code) for code in order if code in spoken]


def _facts(claim: Claim) -> Iterator[Reason]:
    """The facts of a claim. One that says both that a camera took the picture and that AI made it speaks of
    parts: editors note the source of what was filled in."""
    camera = any(fact.code == "source_camera" for fact in claim.facts)
    for fact in claim.facts:
        yield Reason("source_ai_part") if camera and fact.code == "source_ai" else fact


def _codes(claim: Claim) -> Iterator[str]:
    if claim.reason.code == "provenance_altered":
        yield "claim_points_altered"
    if claim.reason.code == "known_match":
        yield "claim_points_known"
