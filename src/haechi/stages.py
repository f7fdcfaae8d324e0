"""What the stages of a pipeline look like to it, and how a detector or a claim is asked so that its breakdown
costs no report."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from haechi.errors import HaechiError

if TYPE_CHECKING:
    from haechi.claims import ClaimReader, Subject
    from haechi.detectors.evidence import Look
    from haechi.faces import FaceStream, Window
    from haechi.media.original import Original
    from haechi.settings import Settings
    from haechi.types import (
        Claim,
        Detector,
        Evidence,
        FaceTrack,
        Media,
        MediaKind,
        ModelRef,
        Quality,
        Reason,
        Verdict,
    )

_log = logging.getLogger("haechi")


class Finder(Protocol):
    """Finds the faces of a whole source, and of frames that come one by one."""

    def find(
        self, media: Media, progress: Callable[[float], None] | None = None
    ) -> tuple[FaceTrack, ...]: ...

    def stream(self, kind: MediaKind = "video", window: Window | None = None) -> FaceStream: ...


@dataclass(frozen=True, slots=True)
class Judges:
    """What follows the finding of faces, ready to use."""

    assess: Callable[[Media, Sequence[FaceTrack], Settings], Quality]
    detectors: tuple[Detector, ...]
    decide: Callable[[Sequence[Evidence], Quality, Settings], Verdict]
    models: tuple[ModelRef, ...]
    claims: tuple[ClaimReader, ...] = ()
    left_out: tuple[str, ...] = ()
    """Detectors that there are and that were not chosen: the report says so, and gives no all-clear."""


@runtime_checkable
class FaceScorer(Protocol):
    """A detector whose network looks at single pictures of a face."""

    @property
    def name(self) -> str: ...

    def look(self, track: FaceTrack, kind: MediaKind) -> Look: ...


def examine(
    detector: Detector,
    media: Media,
    tracks: Sequence[FaceTrack],
    quality: Quality,
    prior: Sequence[Evidence],
) -> Evidence:
    """What a detector says; ``failed`` when it crashes. An error of Haechi's own, of an altered model or a
    source that cannot be read on, is no crash of the detector and goes through."""
    from haechi.types import Evidence

    needed = {e.detector: e for e in prior if e.detector in detector.needs}
    try:
        evidence = detector.examine(media, tracks, quality, needed)
        if not isinstance(evidence, Evidence) or evidence.detector != detector.name:
            raise TypeError(f"{detector.name} gave something else than evidence of its own")
        return evidence
    except HaechiError:
        raise
    except Exception as error:
        reason = _failure(detector, "detector_failed", error)
        return Evidence(detector.name, detector.version, "failed", None, reason)


def left_out(names: Sequence[str]) -> tuple[Evidence, ...]:
    """What the report holds in the place of detectors that were not chosen."""
    from haechi.types import Evidence, Reason

    return tuple(Evidence(name, "", "abstained", None, Reason("abstain_left_out")) for name in names)


def state(readers: Sequence[ClaimReader], original: Original, media: Media) -> tuple[Claim, ...]:
    """What each claim has to say. No report is lost to a claim: there is a verdict already."""
    if not readers:
        return ()
    from haechi.claims import Subject

    subject = Subject(original, media)
    return tuple(claim for reader in readers if (claim := _stated(reader, subject)) is not None)


def _stated(reader: ClaimReader, subject: Subject) -> Claim | None:
    from haechi.types import Claim

    try:
        claim = reader.state(subject)
        if claim is not None and (not isinstance(claim, Claim) or claim.source != reader.name):
            raise TypeError(f"{reader.name} gave something else than a claim of its own")
        return claim
    except Exception as error:
        changed = isinstance(error, HaechiError) and error.code == "changed"
        reason = _failure(reader, "claim_changed" if changed else "claim_failed", error)
        return Claim(reader.name, reader.version, reason, outcome="failed")


def _failure(who: Detector | ClaimReader, code: str, error: Exception) -> Reason:
    from haechi.types import Reason

    # The text of the error is left out of the log: it may name the user's file.
    steps = "".join(traceback.format_tb(error.__traceback__))
    _log.debug("%s failed: %s\n%s", who.name, type(error).__name__, steps)
    return Reason(code, {"detector": who.name, "error": type(error).__name__})
