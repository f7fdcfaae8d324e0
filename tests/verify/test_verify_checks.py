"""What each check makes of recordings whose truth is known, and that none of them passes what it cannot
see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import REST, flashed, lit, moved, pulse, recording, times, turned_points

from haechi.faces import Sighting
from haechi.types import Frame, Reason
from haechi.verify.challenges import ChallengeKind
from haechi.verify.checks import CHECKS, compliance, depth, examine, flash, forgery, injection
from haechi.verify.checks.compliance import LEAST_TURN_DEG
from haechi.verify.decide import decide
from haechi.verify.flash_code import LUMINANCE, PALETTE, FlashCode
from haechi.verify.motion import turned_deg
from haechi.verify.observe import observe
from haechi.verify.recording import Recording, from_bytes, to_bytes
from haechi.verify.seen import Seen
from haechi.verify.types import CheckOutcome, CheckResult


def outcome(result: CheckResult) -> tuple[str, str]:
    return result.outcome, result.reason.code.removeprefix("verify_")


def test_colours_harm_nobody() -> None:
    """WCAG 2.2, 2.3.1: no change of luminance, no saturated red, at most three changes in any second."""
    for colour in PALETTE:
        red, green, blue = colour
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue == pytest.approx(LUMINANCE, abs=1e-9)
        assert red / (red + green + blue) < 0.8
        assert min(colour) >= 0
        assert max(colour) <= 1
    for _ in range(50):
        code = FlashCode.drawn()
        changes = np.cumsum(code.lasts_s)
        assert all((np.sum((changes >= t) & (changes < t + 1)) <= 3) for t in changes)
        assert all(a != b for a, b in zip(code.colours, code.colours[1:], strict=False))
        assert changes[-1] >= 6


def flash_result(face: np.ndarray, wall: np.ndarray, code: FlashCode, t: np.ndarray) -> CheckResult:
    return flash.examine([flashed(code, recording(t, face_rgb=face, background_rgb=wall))])


@pytest.mark.parametrize("share", [0.04, 0.1, 0.4])
@pytest.mark.parametrize("lag_s", [0.0, 0.15, 0.38])
def test_a_face_that_gives_the_colours_back(share: float, lag_s: float) -> None:
    t, code = times(6), FlashCode.drawn()
    result = flash_result(lit(t, code, share, lag_s), lit(t, code, share / 3, lag_s), code, t)
    assert outcome(result) == ("pass", "flash_passed")
    assert result.figures["lag_s"] == pytest.approx(lag_s, abs=0.06)
    assert result.figures["share"] == pytest.approx(share, rel=0.6)


def test_other_colours_are_refused() -> None:
    for seed in range(200):
        t, code = times(6), FlashCode.drawn()
        face = lit(t, FlashCode.drawn(), 0.3, 0.12, seed=seed)
        assert flash_result(face, lit(t, code, 0.0, 0.1), code, t).outcome == "fail"


def test_a_face_that_answers_too_late() -> None:
    t, code = times(6), FlashCode.drawn()
    result = flash_result(lit(t, code, 0.3, 0.62), lit(t, code, 0.05, 0.62), code, t)
    assert outcome(result) == ("fail", "flash_late")


def test_a_tint_of_the_whole_picture() -> None:
    t, code = times(6), FlashCode.drawn()
    tinted = lit(t, code, 0.2, 0.1)
    assert outcome(flash_result(tinted, lit(t, code, 0.2, 0.1, seed=3), code, t)) == (
        "fail",
        "flash_everywhere",
    )


def test_only_the_wall_answers() -> None:
    t, code = times(6), FlashCode.drawn()
    result = flash_result(lit(t, code, 0.0, 0.1), lit(t, code, 0.1, 0.1), code, t)
    assert outcome(result) == ("fail", "flash_other_order")


@pytest.mark.parametrize("share", [0.0, 0.004])
def test_too_little_light_is_told_and_nobody_is_accused(share: float) -> None:
    t, code = times(6), FlashCode.drawn()
    face, wall = lit(t, code, share, 0.1, noise=0.001), lit(t, code, 0, 0.1, noise=0.001, seed=5)
    assert outcome(flash_result(face, wall, code, t)) == ("abstain", "flash_weak")


def test_a_face_that_leaves_is_asked_again() -> None:
    t, code = times(6), FlashCode.drawn()
    record = recording(t, face_rgb=lit(t, code, 0.3, 0.1))
    record.found_xy[:20] = np.nan
    assert outcome(flash.examine([flashed(code, record)])) == ("abstain", "flash_face_left")
    assert outcome(flash.examine([])) == ("abstain", "no_flash")


def turn(degrees: float, begin_s: float = 0.8, depth_of: float = 1.0) -> Recording:
    """A head, or something flatter, that turns to its left."""
    t = times(4)
    marks = np.repeat(REST[None], len(t), 0) + 200
    shift = np.sin(np.radians(degrees * pulse(t, begin_s))) * 0.42 * 66 * depth_of
    marks[:, 2, 0] += shift.astype(np.float32)
    before, after = turned_points(degrees, depth_of)
    return recording(t, landmarks_xy=marks, found_xy=marks.copy(), before_xy=before, after_xy=after)


def test_a_head_that_turns() -> None:
    seen = [moved("turn_left", turn(35))]
    assert outcome(compliance.examine(seen)) == ("pass", "moved")
    assert outcome(depth.examine(seen)) == ("pass", "deep")


def test_the_wrong_way_and_no_way() -> None:
    assert outcome(compliance.examine([moved("turn_right", turn(35))])) == ("fail", "moved_other_way")
    in_noise = replace(turn(35), found_xy=recording(times(4)).found_xy)
    assert outcome(compliance.examine([moved("turn_right", in_noise)])) == ("abstain", "not_moved")
    small = [moved("turn_left", turn(12))]
    assert outcome(compliance.examine(small)) == ("abstain", "not_moved"), "nobody is refused for that"
    both = [moved("turn_left", turn(12)), moved("turn_right", turn(35))]
    assert outcome(compliance.examine(both)) == ("fail", "moved_other_way")
    assert outcome(depth.examine([moved("turn_left", turn(12))])) == ("abstain", "turn_small")


def test_a_turn_that_carries_the_skin_beyond_rest_on_the_way_back() -> None:
    t = times(4)
    record, back = turn(40), turn(-25, begin_s=2.2)
    marks = record.landmarks_xy + back.landmarks_xy - back.landmarks_xy[0]
    drifted = replace(record, landmarks_xy=np.asarray(marks, np.float32))
    assert outcome(compliance.examine([moved("turn_left", drifted)])) == ("pass", "moved")
    assert outcome(compliance.examine([moved("turn_right", drifted)])) == ("fail", "moved_other_way")
    assert len(t)


def test_the_skin_and_the_finder_each_see_what_the_other_misses() -> None:
    whole, rest = turn(35), recording(times(4)).landmarks_xy
    lost = np.where(np.arange(len(rest))[:, None, None] > 12, np.nan, whole.landmarks_xy).astype(np.float32)
    by_finder = replace(whole, landmarks_xy=lost)
    # Of the landmarks on the skin more are gone than a session may lose; the angle is told nevertheless.
    assert turned_deg(lost, whole.found_xy, whole.times_s).max() > LEAST_TURN_DEG
    assert outcome(compliance.examine([moved("turn_left", by_finder)])) == ("pass", "moved")
    by_skin = replace(whole, found_xy=rest.copy())
    assert outcome(compliance.examine([moved("turn_left", by_skin)])) == ("pass", "moved")
    drawn_only = replace(whole, landmarks_xy=rest.copy())
    assert outcome(compliance.examine([moved("turn_left", drawn_only)])) == ("abstain", "not_moved")


@pytest.mark.parametrize("asked", ["turn_left", "nod", "mouth"])
def test_another_movement_is_not_taken_for_the_one_that_was_asked(asked: ChallengeKind) -> None:
    """A turn and a step closer move the nose between eyes and mouth, too, and darken the mouth."""
    t = times(4)
    up = pulse(t)
    marks = np.repeat(REST[None], len(t), 0).astype(np.float64)
    marks[:, 2, 1] += 0.3 * 66 * up
    if asked != "nod":
        marks[:, 2, 0] += 0.3 * 66 * up
    marks *= (1 + 0.4 * up)[:, None, None]
    mouth = (0.3 + 0.5 * up).astype(np.float32)
    closer = recording(
        t, landmarks_xy=marks.astype(np.float32), found_xy=marks.astype(np.float32), mouth=mouth
    )
    assert outcome(compliance.examine([moved("closer", closer)])) == ("pass", "moved")
    assert outcome(compliance.examine([moved(asked, closer)])) == ("abstain", "not_moved")
    turned = turn(40)
    turned.landmarks_xy[:, 2, 1] += (0.3 * 66 * up).astype(np.float32)
    assert outcome(compliance.examine([moved("nod", turned)])) == ("abstain", "not_moved")


@pytest.mark.parametrize("begin_s", [0.0, 2.7])
def test_nobody_moves_before_the_question_or_long_after(begin_s: float) -> None:
    record = turn(40, begin_s)
    if begin_s == 0:
        record = replace(record, times_s=record.times_s - 0.25)  # had begun before
        record = replace(
            record, times_s=np.maximum(record.times_s, 0) + np.arange(len(record.times_s)) * 1e-6
        )
    result = compliance.examine([moved("turn_left", record)])
    assert outcome(result) == ("fail", "moved_at_wrong_time")


def test_a_picture_has_no_depth_however_it_is_turned() -> None:
    for seed in range(50):
        before, after = turned_points(40, 0.0, seed)
        record = replace(turn(35), before_xy=before, after_xy=after)
        assert outcome(depth.examine([moved("turn_left", record)])) == ("fail", "flat")


@pytest.mark.parametrize("relief", [0.65, np.nan])
def test_what_is_neither_flat_nor_deep_enough_accuses_and_passes_nobody(relief: float) -> None:
    before, after = turned_points(35, 0.65)
    record = replace(turn(35), before_xy=before, after_xy=after)
    if np.isnan(relief):  # nobody knows how large the face is
        record.found_xy[:] = np.nan
    assert outcome(depth.examine([moved("turn_left", record)])) == ("abstain", "depth_unclear")


def test_a_homography_is_a_plane() -> None:
    before, _ = turned_points(0, 0)
    matrix = np.array([[0.8, 0.05, 9], [0.02, 1.1, 3], [0.001, 0.0004, 1]])
    sent = np.c_[before, np.ones(len(before))] @ matrix.T
    assert depth.off_plane(before, (sent[:, :2] / sent[:, 2:]).astype(np.float32)) < 0.01


def test_a_bent_sheet_is_a_bend() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-50, 50, 80), rng.uniform(-20, 80, 80)
    z, angle = -0.006 * x**2, np.radians(35)
    before = np.stack([x, y], 1).astype(np.float32)
    after = np.stack([x * np.cos(angle) + z * np.sin(angle), y], 1).astype(np.float32)
    assert depth.off_bend(before, after) / 66 < 0.002
    record = replace(turn(35), before_xy=before, after_xy=after)
    assert outcome(depth.examine([moved("turn_left", record)])) == ("fail", "flat")


def test_of_two_turns_the_flat_one_decides() -> None:
    before, after = turned_points(40, 0.0)
    flat = replace(turn(35), before_xy=before, after_xy=after)
    seen = [moved("turn_left", turn(35)), moved("turn_left", flat)]
    assert depth.examine(seen).outcome == depth.examine(seen[::-1]).outcome == "fail"


def test_mouth_nod_and_a_step_closer() -> None:
    t = times(4)
    up = pulse(t)
    mouth = recording(t, mouth=(0.3 + 0.5 * up).astype(np.float32))
    nod = np.repeat(REST[None], len(t), 0) + 200
    nod[:, 2, 1] += (0.2 * 66 * up).astype(np.float32)
    closer = (REST[None] * (1 + 0.4 * up)[:, None, None] + 200).astype(np.float32)
    for kind, record in (
        ("mouth", mouth),
        ("nod", recording(t, landmarks_xy=nod)),
        ("closer", recording(t, landmarks_xy=closer, found_xy=closer)),
    ):
        assert outcome(compliance.examine([moved(kind, record)])) == ("pass", "moved"), kind
        assert outcome(compliance.examine([moved(kind, recording(t))])) == ("abstain", "not_moved"), kind


def test_a_lost_face_is_no_failure() -> None:
    record = turn(35)
    record.found_xy[10:] = np.nan
    assert outcome(compliance.examine([moved("turn_left", record)])) == ("abstain", "face_lost")


def test_a_loop_and_a_clock_are_risks() -> None:
    t = times(4)
    usual = recording(t)
    assert outcome(injection.examine([moved("mouth", usual)])) == ("pass", "no_injection")
    again = usual.coarse[np.arange(len(t)) % 15]
    assert outcome(injection.examine([moved("mouth", replace(usual, coarse=again))])) == ("risk", "looped")
    exact = replace(usual, times_s=np.arange(len(t)) / 15)
    assert outcome(injection.examine([moved("mouth", exact)])) == ("risk", "regular")
    assert outcome(injection.examine([])) == ("abstain", "few_frames")


def test_a_camera_that_gives_a_frame_twice_is_no_loop() -> None:
    """In the dark a camera is slower than the page that asks it."""
    usual = recording(times(4))
    twice = np.repeat(usual.coarse[::2], 2, 0)[: len(usual.times_s)]
    assert injection.repeats(twice) == 0


def test_a_forged_face_is_a_risk() -> None:
    record = recording(times(4))
    for llr, word in ((2.0, "risk"), (-1.0, "pass")):
        seen = [moved("mouth", replace(record, llrs=np.full(6, llr)))]
        assert forgery.examine(seen).outcome == word
    assert forgery.examine([moved("mouth", record)]).outcome == "abstain"


def test_a_check_that_breaks_down_passes_nobody() -> None:
    def broken(_: object) -> CheckResult:
        raise ZeroDivisionError("secret")

    (result,) = examine([], [("depth", broken)])
    assert (result.check, result.outcome) == ("depth", "crash")
    assert "secret" not in str(result.reason)


@given(
    st.lists(
        st.sampled_from(["pass", "fail", "abstain", "risk", "crash"]),
        min_size=len(CHECKS),
        max_size=len(CHECKS),
    ),
    st.booleans(),
)
def test_only_a_whole_session_is_accepted(outcomes: list[CheckOutcome], flash_: bool) -> None:
    names = [name for name, _ in CHECKS]
    results = [CheckResult(n, o, Reason("verify_moved")) for n, o in zip(names, outcomes, strict=True)]
    result = decide(results, flash=flash_)
    by_name = dict(zip(names, outcomes, strict=True))
    whole = all(by_name[n] == "pass" for n in ("flash", "compliance", "depth"))
    clean = not {"fail", "crash", "risk"} & set(outcomes)
    assert (result.decision == "accept") == (whole and clean and flash_)
    assert (result.decision == "refuse") == ("fail" in outcomes)
    assert result.reasons


def test_injection_alone_refuses_nobody() -> None:
    fine = [CheckResult(n, "pass", Reason("verify_moved")) for n, _ in CHECKS if n != "injection"]
    risk = CheckResult("injection", "risk", Reason("verify_looped", {"n": 9}))
    assert decide([*fine, risk], flash=True).decision == "refer"


def test_recordings_survive_the_way_between_processes() -> None:
    record = replace(turn(35), llrs=np.array([0.5]))
    assert from_bytes(to_bytes(record)) == record


def test_every_code_has_a_sentence() -> None:
    import re
    from pathlib import Path

    import haechi.verify
    from haechi.report.messages import catalogue

    folder = Path(haechi.verify.__file__).parent
    codes = {
        code for file in folder.rglob("*.py") for code in re.findall(r'"(verify_[a-z_]+)"', file.read_text())
    }
    assert len(codes) > 30
    assert codes <= set(catalogue("en"))


def test_checks_are_silent_where_nothing_was_recorded() -> None:
    t = times(4)
    blank = recording(t, landmarks_xy=np.full((len(t), 5, 2), np.nan, np.float32))
    seen: list[Seen] = [moved("turn_left", blank), flashed(FlashCode.drawn(), blank)]
    assert {r.outcome for r in examine(seen) if r.check != "injection"} == {"abstain"}
    assert decide(examine(seen), flash=True).decision == "retry"


@pytest.mark.parametrize(("turn_deg", "faces"), [(0.0, True), (-20.0, True), (350.0, True), (180.0, False)])
def test_a_face_that_is_found_upside_down_is_none(turn_deg: float, faces: bool) -> None:
    marks = (REST + np.array([160, 100])).astype(np.float32)
    box = np.array([100, 60, 220, 190], np.float32)
    sighting = Sighting(1, 1, 0.0, box, marks, 0.9, 0.9, turn_deg, None)

    class Stream:
        def add(self, _: Frame) -> tuple[Sighting, ...]:
            return (sighting,)

    frames = [(np.full((240, 320, 3), 90, np.uint8), i / 5) for i in range(6)]
    assert (observe(frames, "mouth", Stream(), None).faces > 0) is faces  # type: ignore[arg-type]
