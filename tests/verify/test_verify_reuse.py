"""A picture that comes back under other subjects is known again, a new one is not, and nothing tells whose it
was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clients import Clock
from recordings import REST, moved, recording, times

from haechi.types import U8, Reason
from haechi.verify.book import VerificationBook
from haechi.verify.checks import CHECKS, among, examine, reuse
from haechi.verify.decide import decide
from haechi.verify.prints import SIDE_PX, aligned, print_of
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult
from synthetic import texture

MARKS = (REST * 2 + [300, 200]).astype(np.float32)


def picture(seed: int) -> U8:
    return np.ascontiguousarray(texture(480, 640, seed, soft=12))


def hash_of(rgb: U8, marks: np.ndarray = MARKS) -> U8:
    face = aligned(rgb, marks.astype(np.float32))
    assert face is not None
    assert face.shape == (SIDE_PX, SIDE_PX, 3)
    hashed = print_of(face)
    assert hashed is not None
    return hashed[None]


def session(prints: U8) -> list[Seen]:
    return [moved("mouth", replace(recording(times(4)), prints=prints))]


def again(rgb: U8, marks: np.ndarray, seed: int = 1) -> int:
    """How many other subjects are found when picture 1 had come before, and 2 and 3."""
    others = [hash_of(picture(number)) for number in (seed, 2, 3)]
    return int(reuse.examine(session(hash_of(rgb, marks)), others).figures["subjects_again"])


def test_a_picture_is_known_again_however_it_is_coded_lit_and_moved() -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(picture(1) * 0.8 + rng.normal(0, 6, (480, 640, 3)) + 10, 0, 255).astype(np.uint8)
    shifted = np.roll(noisy, (17, -23), (0, 1))
    assert again(shifted, MARKS + np.array([-23, 17])) == 1
    assert again(np.ascontiguousarray(picture(1)[::2, ::2]), MARKS / 2) == 1
    assert again(picture(7), MARKS) == 0


def test_it_is_a_risk_for_a_person_to_look_at_and_tells_how_many_never_which() -> None:
    mine = hash_of(picture(1))
    checks = dict(among([mine, hash_of(picture(2)), mine.copy()]))
    (result,) = examine(session(mine), [("reuse", checks["reuse"])])
    assert (result.outcome, result.reason) == ("risk", Reason("verify_face_again", {"n": 2}))
    assert dict(result.figures) == {"subjects_again": 2.0}
    rest = [CheckResult(name, "pass", Reason("verify_moved")) for name, _ in CHECKS if name != "reuse"]
    assert decide([*rest, result], flash=True).decision == "refer"


def test_without_a_face_it_abstains() -> None:
    blank = np.full((480, 640, 3), 90, np.uint8)
    face = aligned(blank, MARKS)
    assert face is not None
    assert print_of(face) is None, "a wall has no hash that says anything"
    assert aligned(blank, np.zeros((5, 2), np.float32)) is None
    assert reuse.examine(session(np.zeros((0, 32), np.uint8)), [hash_of(picture(1))]).outcome == "abstain"


@pytest.mark.parametrize("how", ["over", "dropped"])
def test_the_book_forgets_hashes_with_the_result_and_never_mixes_owners(how: str) -> None:
    clock = Clock()
    book = VerificationBook(9, clock)
    one = book.open("one", "bank", flash=True, keep_s=60)
    assert book.known(one, hash_of(picture(1))) == []
    book.finish(one, decide([], flash=True))
    same = book.open("one", "bank", flash=True, keep_s=60)
    other = book.open("two", "bank", flash=True, keep_s=60)
    elsewhere = book.open("two", "a shop", flash=True, keep_s=60)
    assert book.known(same, hash_of(picture(1))) == [], "the same subject may come again"
    assert len(book.known(other, hash_of(picture(1)))) == 1, "both sessions of one subject count once"
    assert book.known(elsewhere, hash_of(picture(1))) == []
    book.drop(same)
    if how == "over":
        clock.now_s += 61
        assert book.running == 2
    else:
        book.drop(one)
    assert book.known(other, hash_of(picture(1))) == []
