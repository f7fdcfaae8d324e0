"""What every detector and every claim keeps to, whoever wrote it: ``DetectorContract`` and ``ClaimContract``.

``test_contracts`` puts everything in the registry through them, entry points of other packages included;
``test_contributing`` the toys of CONTRIBUTING.md.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from haechi.claims import ClaimReader, Subject
from haechi.media import open_media
from haechi.media.original import Original
from haechi.report.messages import LANGUAGES, catalogue, sentence
from haechi.settings import Settings
from haechi.types import Claim, Detector, Evidence, FaceTrack, Media, Reason
from standins import CLIP, MOMENTS, PHOTO, coloured, equal, filmed, rated
from synthetic import media, texture


def check_sentences(reason: Reason) -> None:
    """A sentence in every language: of the catalogues, or brought along."""
    for lang in LANGUAGES:
        assert reason.code in catalogue(lang) or reason.texts.get(lang), (
            f"{reason.code}: no sentence in {lang}"
        )
        told = sentence(reason, lang)
        assert told
        assert "?" not in told.removesuffix("?") or lang != "en", f"a gap without a value: {told}"


@dataclass(frozen=True)
class DetectorContract:
    """``detector`` as the registry makes it; ``prior``: what the detectors that it needs say of a source."""

    detector: Detector
    prior: Callable[[Media, tuple[FaceTrack, ...]], Mapping[str, Evidence]] = lambda _media, _tracks: {}

    def examine(self, source: Media, *tracks: FaceTrack, bad: tuple[int, ...] = ()) -> Evidence:
        return self.detector.examine(source, tracks, rated(*tracks, bad=bad), self.prior(source, tracks))

    def gives_evidence_of_its_own(self) -> None:
        for source, face in ((PHOTO, coloured(3)), (CLIP, filmed(20))):
            evidence = self.examine(source, face)
            assert isinstance(evidence, Evidence)
            assert (evidence.detector, evidence.version) == (self.detector.name, self.detector.version)
            assert evidence.status in ("scored", "abstained")
            assert (evidence.llr is None) == (evidence.status == "abstained")
            assert evidence.llr is None or np.isfinite(evidence.llr)
            strengths = [region.llr for region in evidence.regions]
            assert strengths == sorted(strengths, reverse=True)
            for region in evidence.regions:
                assert region.track_id == face.track_id
                assert region.time_s in MOMENTS
                if region.heatmap is not None:
                    assert region.heatmap.dtype == np.float32
                    assert 0 <= region.heatmap.min() <= region.heatmap.max() <= 1
            for series in evidence.series:
                assert len(series.times_s) == len(series.llr)

    def abstains_without_a_face(self) -> None:
        for frames in (1, 20):
            evidence = self.examine(media([np.zeros((64, 64, 3), np.uint8)] * frames))
            assert (evidence.status, evidence.llr) == ("abstained", None)
            assert (evidence.regions, evidence.series, evidence.spans_s) == ((), (), ())

    def abstains_on_a_face_that_cannot_be_judged(self) -> None:
        for source, face in ((PHOTO, coloured(3)), (CLIP, filmed(20))):
            evidence = self.examine(source, face, bad=(face.track_id,))
            assert (evidence.status, evidence.llr) == ("abstained", None)

    def says_the_same_twice(self) -> None:
        for source, face in ((PHOTO, coloured(6)), (CLIP, filmed(20))):
            assert equal(self.examine(source, face), self.examine(source, face))

    def scores_a_batch_as_one_by_one(self) -> None:
        """Of those that have ``score``; runtimes take other kernels for other sizes of a batch."""
        score = getattr(self.detector, "score", None)
        if score is None:
            return
        pictures = np.stack([texture(224, 224, seed) for seed in range(11)])
        whole = score(pictures)
        assert whole.logits.dtype == np.float64
        assert whole.logits.shape == (len(pictures),)
        for k in range(len(pictures)):
            alone = score(pictures[k : k + 1])
            assert np.allclose(alone.logits, whole.logits[k : k + 1], atol=1e-4)
            if whole.maps is not None:
                assert np.allclose(alone.maps, whole.maps[k : k + 1], atol=1e-4)
        assert len(score(pictures[:0]).logits) == 0

    def has_its_sentences(self) -> None:
        for source, face in ((PHOTO, coloured(3)), (CLIP, filmed(20))):
            check_sentences(self.examine(source, face).reason)
        check_sentences(self.examine(PHOTO).reason)


@dataclass(frozen=True)
class ClaimContract:
    reader: ClaimReader

    @staticmethod
    def subject() -> Subject:
        file = io.BytesIO()
        Image.fromarray(texture(64, 64)).save(file, "PNG")
        data = file.getvalue()
        return Subject(Original.of(data), open_media(data, Settings()))

    def gives_a_claim_of_its_own_or_none(self) -> None:
        claim = self.reader.state(self.subject())
        assert claim is None or isinstance(claim, Claim)
        if claim is not None:
            assert (claim.source, claim.version) == (self.reader.name, self.reader.version)
            assert claim.outcome in ("answered", "unread", "failed")

    def says_the_same_twice(self) -> None:
        assert self.reader.state(self.subject()) == self.reader.state(self.subject())

    def has_its_sentences(self) -> None:
        claim = self.reader.state(self.subject())
        for reason in () if claim is None else (claim.reason, *claim.facts):
            check_sentences(reason)


def clauses(contract: type[DetectorContract] | type[ClaimContract]) -> list[str]:
    """The names of what a contract demands."""
    helpers = {"examine", "prior", "subject"}
    return [
        name
        for name, made in vars(contract).items()
        if callable(made) and name[0] != "_" and name not in helpers
    ]
