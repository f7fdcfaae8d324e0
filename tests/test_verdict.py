"""The verdict: no all-clear on nothing or on a broken examination, and no surprises between its marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi import models, registry
from haechi.marks import Marks, Tail, contrasts
from haechi.report.messages import LANGUAGES, catalogue
from haechi.settings import Settings
from haechi.types import Evidence, FaceQuality, Quality, Reason, Region, Segment, Status, Verdict
from haechi.verdict import decide, log_odds, weighed
from synthetic import FakeModel

WEIGHTS = {"swap": 0.9, "synthesis": 0.6, "flicker": 1.0}
PARAMETERS: dict[str, Any] = {
    "model": {"manners": {"changed": {"weights": WEIGHTS, "intercept": -0.3}}},
    "resampled": [
        {"manners": {"changed": {"weights": WEIGHTS, "intercept": -0.3 + 0.02 * i}}} for i in range(-10, 11)
    ],
    "thresholds": {"strong": 2.0, "some": 1.0},
    "tail": {"decile": 0.0, "nats": 0.5},
    "stretches": {"swap": {"decile": 0.2, "nats": 0.1}},
}
GOOD = Quality(200.0, 0.3, None, (), (FaceQuality(1, 200.0, 0.7, 0.5),))


@pytest.fixture(autouse=True, scope="module")
def _card() -> Any:
    fake = FakeModel({"name": "verdict", "parameters": PARAMETERS})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", lambda name, settings: fake)
        yield


def said(detector: str, llr: float | None, status: Status = "scored", faces: int = 1) -> Evidence:
    regions = tuple(Region(i + 1, 0.0, (0.0, 0.0, 9.0, 9.0), llr or 0.0) for i in range(faces))
    return Evidence(detector, "1", status, llr, Reason(f"{detector}_scored", {"face": 1}), (), regions)


def failed(detector: str) -> Evidence:
    return Evidence(detector, "1", "failed", None, Reason("detector_failed", {"error": "ValueError"}))


def abstained(detector: str) -> Evidence:
    return Evidence(detector, "1", "abstained", None, Reason("abstain_quality"))


def judge(*evidence: Evidence, quality: Quality = GOOD) -> Verdict:
    return decide(evidence, quality, Settings())


def codes(verdict: Verdict) -> list[str]:
    return [r.code for r in verdict.reasons]


def for_fused(value: float) -> float:
    """The swap ratio that alone gives this fused value."""
    return (value + 0.3) / WEIGHTS["swap"]


@pytest.mark.parametrize(
    ("fused", "level"),
    [(-3, "none"), (0.99, "none"), (1.01, "some"), (1.99, "some"), (2.01, "strong"), (9, "strong")],
)
def test_levels_begin_at_their_marks(fused: float, level: str) -> None:
    verdict = judge(said("swap", for_fused(fused)))
    assert verdict.level == level
    assert verdict.score == pytest.approx(1 / (1 + np.exp(-fused)))
    assert verdict.score is not None
    assert (verdict.score >= verdict.thresholds["some"]) == (level != "none")
    assert (verdict.score >= verdict.thresholds["strong"]) == (level == "strong")
    assert codes(verdict)[:2] == [f"level_{level}", "swap_scored"]


def test_the_marks_are_told_on_the_scale_of_the_score_whatever_the_level() -> None:
    marks = {"some": 1 / (1 + np.exp(-1.0)), "strong": 1 / (1 + np.exp(-2.0))}
    for verdict in (judge(said("swap", 9.0)), judge(abstained("swap")), judge(failed("swap"))):
        assert verdict.thresholds == pytest.approx(marks)


def test_an_all_clear_owns_up_to_a_finding_that_leans_the_other_way() -> None:
    assert codes(judge(said("swap", -1.0))) == ["level_none", "swap_scored"]
    verdict = judge(said("swap", -1.0), said("synthesis", 1.4))
    assert codes(verdict) == ["level_none", "synthesis_scored", "leaning"]
    assert "leaning" not in codes(judge(said("swap", 4.0)))


def test_whom_the_card_does_not_name_is_not_weighed_however_loud_or_broken() -> None:
    alone = judge(said("swap", for_fused(1.5)))
    for stranger in (said("stranger", 50.0, faces=3), failed("stranger"), abstained("stranger")):
        assert judge(said("swap", for_fused(1.5)), stranger) == alone
        assert judge(stranger).level == "unknown"
    assert judge(said("swap", -1.0), failed("stranger")).level == "none"


def test_the_shipped_card_names_every_shipped_detector() -> None:
    model = models.card("verdict", Settings(models_dir="")).parameters["model"]
    assert weighed(model) == {entry.name for entry in registry.DETECTORS}


def test_the_odds_of_manipulation_are_those_of_the_likeliest_manner() -> None:
    changed = {"weights": {"swap": 1.0}, "intercept": 0.0}
    drawn = {"weights": {"swap": 0.0, "synthesis": 1.0}, "intercept": -0.2}
    model = {"manners": {"changed": changed, "drawn": drawn}}
    assert log_odds({"swap": 3.0, "synthesis": -2.0}, model) == 3.0
    assert log_odds({"swap": -2.0, "synthesis": 3.0}, model) == pytest.approx(2.8)
    assert log_odds({}, model) == 0.0


def test_bystanders_do_not_clear_the_main_face() -> None:
    small = FaceQuality(1, 30.0, 0.7, 0.5, (Reason("face_too_small", {"face_px": 30, "min_px": 40}),))
    mixed = Quality(30.0, 0.3, None, (), (small, FaceQuality(2, 90.0, 0.7, 0.5)))
    verdict = judge(said("swap", -1.0), quality=mixed)
    assert (verdict.level, verdict.score, codes(verdict)) == ("unknown", None, ["face_too_small"])
    assert judge(said("swap", 4.0), quality=mixed).level == "strong"


@pytest.mark.parametrize(
    "evidence",
    [
        (),
        (abstained("swap"), abstained("synthesis")),
        (failed("swap"), abstained("synthesis")),
        (failed("swap"), failed("synthesis"), failed("flicker")),
    ],
)
def test_without_a_score_nothing_is_said(evidence: Sequence[Evidence]) -> None:
    verdict = judge(*evidence)
    assert (verdict.level, verdict.score, verdict.interval) == ("unknown", None, None)
    assert len(verdict.reasons) == 1


def test_no_all_clear_while_an_examination_is_broken() -> None:
    verdict = judge(said("swap", -2.0), failed("synthesis"))
    assert (verdict.level, verdict.score) == ("unknown", None)
    assert verdict.reasons == (Reason("unknown_failed", {"detector": "synthesis"}),)


@pytest.mark.parametrize("fused", [1.5, 5])
def test_what_was_found_is_told_although_another_examination_broke(fused: float) -> None:
    verdict = judge(said("swap", for_fused(fused)), failed("synthesis"))
    assert verdict.level in ("some", "strong")
    assert codes(verdict)[-1] == "detector_failed_note"


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), float("-inf"), None])
def test_a_score_that_is_no_number_is_a_breakdown(broken: float | None) -> None:
    assert judge(said("swap", broken)).level == "unknown"
    verdict = judge(said("swap", broken), said("synthesis", -2.0))
    assert (verdict.level, verdict.score) == ("unknown", None)
    assert codes(verdict) == ["unknown_failed"]


def test_an_abstention_adds_nothing() -> None:
    alone, beside = judge(said("swap", 1.3)), judge(said("swap", 1.3), abstained("flicker"))
    assert alone == beside


@pytest.mark.parametrize(
    ("quality", "code"),
    [
        (Quality(None, None, None, (Reason("no_face"),)), "unknown_no_face"),
        (
            Quality(
                20.0,
                0.1,
                None,
                (),
                (FaceQuality(1, 20.0, 0.9, 0.5, (Reason("face_too_small", {"face_px": 20}),)),),
            ),
            "face_too_small",
        ),
        (GOOD, "unknown_no_evidence"),
    ],
)
def test_an_unknown_tells_its_ground_in_words_that_exist(quality: Quality, code: str) -> None:
    verdict = judge(abstained("swap"), quality=quality)
    assert codes(verdict) == [code]
    for lang in LANGUAGES:
        assert f"because_{code}" in catalogue(lang)
        assert code in catalogue(lang)


def test_every_reason_of_a_level_is_in_the_catalogues() -> None:
    for lang in LANGUAGES:
        wanted = {
            "level_strong",
            "level_some",
            "level_none",
            "faces_single",
            "face_stands_out",
            "segment_stands_out",
            "leaning",
            "detector_failed_note",
            "unknown_failed",
        }
        assert wanted <= set(catalogue(lang))


def test_the_strongest_finding_and_the_number_of_faces_are_told() -> None:
    verdict = judge(said("swap", 0.5), said("synthesis", 3.5, faces=4))
    assert codes(verdict) == [
        "level_strong" if verdict.level == "strong" else f"level_{verdict.level}",
        "synthesis_scored",
        "faces_single",
    ]
    assert verdict.reasons[-1].params == {"n": 4}


def crowd(*llrs: float) -> Evidence:
    """What one detector says of faces numbered from 1."""
    regions = tuple(Region(i, 0.0, (0.0, 0.0, 9.0, 9.0), llr) for i, llr in enumerate(llrs, 1))
    top = max(regions, key=lambda r: r.llr)
    reason = Reason("swap_scored", {"face": top.track_id})
    return Evidence("swap", "1", "scored", float(np.mean(llrs)), reason, (), (top, *set(regions) - {top}))


def test_one_forged_face_in_a_crowd_is_found_and_named() -> None:
    verdict = judge(crowd(*[-2.0] * 6, 4.0, *[-2.0] * 5))
    assert verdict.level == "strong"
    assert (verdict.faces[0].track_id, verdict.faces[0].level) == (7, "strong")
    assert verdict.faces[0].score == verdict.score
    assert {face.level for face in verdict.faces[1:]} == {"none"}
    assert Reason("faces_single", {"n": 12}) in verdict.reasons


@given(st.integers(1, 64), st.floats(0.5, 4.0))
def test_the_more_faces_the_more_one_must_show(n: int, llr: float) -> None:
    alone = log_odds({"swap": llr}, PARAMETERS["model"])
    verdict = judge(crowd(llr, *[-2.5] * (n - 1)))
    # Of genuine faces a tenth lies above 0 and the share falls e-fold every half: of n, one in twenty and one
    # in a hundred highest ones pass the marks.
    some, strong = max(1.0, 0.5 * np.log(n * 0.1 / 0.05)), max(2.0, 0.5 * np.log(n * 0.1 / 0.01))
    assert verdict.level == ("strong" if alone >= strong else "some" if alone >= some else "none")
    assert verdict.score == pytest.approx(1 / (1 + np.exp(-(alone - (some - 1.0)))))
    assert verdict.thresholds["some"] == pytest.approx(1 / (1 + np.exp(-1.0))), "whoever cuts there is right"
    assert (verdict.score >= verdict.thresholds["strong"]) == (verdict.level == "strong")


def test_of_many_genuine_faces_no_more_pass_than_of_one() -> None:
    rng = np.random.default_rng(3)
    tail = PARAMETERS["tail"]
    for n in (1, 12, 40):
        faces = tail["decile"] + tail["nats"] * np.log(0.1 / rng.uniform(size=(4000, n)))
        marks = Marks.of(PARAMETERS, n)
        assert (faces.max(1) >= marks.some + marks.rise).mean() <= 0.06
        assert (faces.max(1) >= marks.strong + marks.rise).mean() <= 0.013


def test_every_face_has_a_level_those_that_were_not_judged_with_the_reason() -> None:
    dark = Reason("face_too_dark")
    quality = Quality(
        90.0, 0.3, None, (), (FaceQuality(1, 90.0, 0.7, 0.5), FaceQuality(2, 90.0, 0.7, 0.1, (dark,)))
    )
    verdict = judge(crowd(-1.0), quality=quality)
    assert [(f.track_id, f.level, f.reason) for f in verdict.faces] == [
        (1, "none", None),
        (2, "unknown", dark),
    ]
    assert verdict.faces[1].score is None
    assert verdict.level == "none"


def moments(whole: float, *llrs: float) -> Evidence:
    """What is said of face 1 of a video as a whole, and of its stretches of four seconds."""
    parts = tuple(Segment(1, 2.0 * i, 2.0 * i + 4, llr) for i, llr in enumerate(llrs))
    return replace(crowd(whole), segments=parts)


def test_four_forged_seconds_count_although_the_whole_shows_nothing() -> None:
    verdict = judge(moments(-1.5, -2.0, -2.0, 0.4, *[-2.0] * 20))
    assert verdict.level == "some"
    assert [(s.start_s, s.level) for s in verdict.segments if s.level != "none"] == [(4.0, "some")]
    assert Reason("segment_stands_out", {"face": 1, "start_s": 4.0, "end_s": 8.0}) in verdict.reasons
    assert verdict.faces[0].level == "none", "the face as a whole keeps its own level"
    assert verdict.score is not None
    assert verdict.score >= verdict.thresholds["some"]


def test_a_long_genuine_video_is_no_more_suspicious_than_a_short_one() -> None:
    """Its stretches differ by little, whatever the person looks like: length alone accuses nobody."""
    rng = np.random.default_rng(8)
    tail = Tail.of(PARAMETERS["stretches"]["swap"])
    for count in (3, 30, 150):
        alarms = [
            judge(moments(0.8, *(0.8 + tail.nats * rng.standard_exponential(count)))).level != "none"
            for _ in range(60)
        ]
        assert np.mean(alarms) <= 0.1, count


def test_what_stands_out_never_reaches_strong_alone() -> None:
    assert judge(moments(-1.5, *[-2.5] * 9, 2.2)).level == "some"
    assert judge(moments(-1.5, *[-2.5] * 9, 3.9)).level == "strong", "here it speaks for itself"


def test_what_stands_out_from_an_innocent_rest_may_be_innocent_itself() -> None:
    assert judge(moments(-2.4, *[-2.5] * 9, -0.4)).level == "none"


def test_a_stretch_is_held_against_those_of_its_face_that_it_does_not_overlap() -> None:
    parts = [
        Segment(1, 2.0 * i, 2.0 * i + 4, value) for i, value in enumerate([0.0, 5.0, 5.0, 1.0, 2.0, 9.0])
    ]
    assert contrasts(parts)[0] == pytest.approx(0.0 - 3.5)
    assert contrasts(parts[:4]) == [None] * 4
    other = [replace(p, track_id=2, llr=-9.0) for p in parts]
    assert contrasts([*parts, *other])[:6] == contrasts(parts)


def test_a_video_forged_throughout_does_not_single_out_a_moment() -> None:
    verdict = judge(moments(3.9, 3.0, 4.0, 3.8))
    assert verdict.level == "strong"
    assert "segment_stands_out" not in codes(verdict)


def test_in_a_stretch_the_other_detectors_speak_of_the_whole_face() -> None:
    synthesis = replace(crowd(2.0), detector="synthesis")
    verdict = judge(moments(-2.0, -2.0, 3.0), synthesis)
    usual = Tail.of(PARAMETERS["stretches"]["swap"]).highest(2, 0.5)
    expected = log_odds({"swap": 3.0, "synthesis": 2.0}, PARAMETERS["model"]) - usual
    assert max(s.score for s in verdict.segments) == pytest.approx(1 / (1 + np.exp(-expected)))


ratios = st.floats(-2.5, 4.0)


@given(ratios, ratios, st.floats(0, 3), st.sampled_from(["swap", "synthesis"]))
def test_more_evidence_never_lowers_the_verdict(
    swap: float, synthesis: float, more: float, which: str
) -> None:
    order = ["none", "some", "strong"]
    before = judge(said("swap", swap), said("synthesis", synthesis))
    after = judge(
        said("swap", swap + more * (which == "swap")),
        said("synthesis", synthesis + more * (which == "synthesis")),
    )
    assert before.score is not None
    assert after.score is not None
    assert after.score >= before.score
    assert order.index(after.level) >= order.index(before.level)


@given(st.lists(st.tuples(st.sampled_from(sorted(WEIGHTS)), ratios), min_size=1, max_size=3))
def test_the_interval_holds_the_score_and_both_are_probabilities(pairs: list[tuple[str, float]]) -> None:
    verdict = judge(*(said(name, value) for name, value in dict(pairs).items()))
    assert verdict.score is not None
    assert verdict.interval is not None
    low, high = verdict.interval
    assert 0 <= low <= verdict.score <= high <= 1


def test_a_detector_without_a_weight_does_not_count() -> None:
    assert judge(said("swap", 1.0), said("stranger", 3.9)).score == judge(said("swap", 1.0)).score
