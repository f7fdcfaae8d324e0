"""A session takes what is due and nothing else: every wrong order ends it, and none is ever complete."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from clients import JPEG, STEP_S, Clock, Page
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from haechi.errors import UsageError
from haechi.verify.book import LASTS_S, BookFull, SubjectBusy, VerificationBook
from haechi.verify.challenges import BEGIN_S, KINDS, plan
from haechi.verify.session import MOST_LAG_S, Refused, VerificationSession, decision_of
from haechi.verify.uploads import MOST_RECORDS, FrameUpload, packed, parsed, seal

KEY = bytes(range(32))


def page(*, flash: bool = True) -> Page:
    clock = Clock()
    return Page(VerificationSession(plan(flash=flash), KEY, LASTS_S, clock), KEY, clock)


def refused(sender: Page, upload: FrameUpload) -> str:
    with pytest.raises(Refused) as caught:
        sender.send(upload)
    return caught.value.reason.code


@pytest.mark.parametrize("flash", [True, False])
def test_a_session_from_its_first_frame_to_its_last(flash: bool) -> None:
    sender = page(flash=flash)
    kinds = []
    while not sender.session.complete:
        number = sender.session.number
        take = sender.finish()
        kinds.append(take.challenge.kind)
        assert len(take.jpegs) == len(take.times_s)
        assert take.times_s[0] == 0
        assert take.times_s[-1] >= take.challenge.duration_s
        assert sender.session.number == number + 1
    assert sender.session.end is None
    assert sender.session.challenge is None
    assert ("flash" in kinds) is flash
    assert {"mouth"} | {"turn_left", "turn_right"} & set(kinds) <= set(kinds) <= set(KINDS)
    with pytest.raises(Refused) as caught:
        sender.session.receive([FrameUpload(sender.sequence, 4, 1e5, bytes(32), JPEG)])
    assert caught.value.reason.code == "verify_over"
    assert sender.session.complete, "what was complete cannot be spoilt"


def test_plans_differ_and_nonces_never_come_again() -> None:
    plans = [plan(flash=True) for _ in range(200)]
    assert len({tuple(c.kind for c in p) for p in plans}) > 50
    assert len({c.nonce for p in plans for c in p}) == 800
    assert len({c.code for p in plans for c in p if c.code}) == 200


@pytest.mark.parametrize(
    ("change", "code", "decision"),
    [
        ({"sequence": 1}, "verify_replayed", "refuse"),
        ({"sequence": 4}, "verify_reordered", "refuse"),
        ({"challenge": 1}, "verify_wrong_challenge", "refuse"),
        ({"time_ms": 150.0}, "verify_clock", "refuse"),
        ({"time_ms": 900.0}, "verify_clock", "refuse"),
    ],
)
def test_whatever_is_not_due_ends_the_session_with_a_reason(
    change: dict[str, float], code: str, decision: str
) -> None:
    sender = page()
    for _ in range(3):
        sender.frame()
    challenge = sender.session.challenge
    assert challenge is not None
    sender.clock.now_s += 0.1
    wrong = sender.sealed(JPEG, challenge, **change)
    assert refused(sender, wrong) == code
    assert sender.session.end is not None
    assert decision_of(sender.session.end) == decision
    sender.clock.now_s += 0.1
    assert refused(sender, sender.sealed(JPEG, challenge)) == code, "the first reason stays"


def test_late_answers() -> None:
    sender = page()
    first = sender.session.challenge
    assert first is not None
    sender.clock.now_s += BEGIN_S + 0.01
    assert refused(sender, sender.sealed(JPEG, first)) == "verify_late_begin"

    sender = page()
    first = sender.session.challenge
    assert first is not None
    sender.frame()
    sender.clock.now_s += MOST_LAG_S + 0.5
    assert refused(sender, sender.sealed(JPEG, first, time_ms=200.0)) == "verify_late"

    sender = page()
    sender.frame()
    sender.clock.now_s += LASTS_S
    assert sender.session.end is not None
    assert sender.session.end.code == "verify_expired"
    assert decision_of(sender.session.end) == "retry"
    assert sender.session.challenge is None


def test_a_challenge_lasts_by_both_clocks() -> None:
    sender = page()
    challenge = sender.session.challenge
    assert challenge is not None
    for number in range(40):  # all at once, with times that claim otherwise
        upload = sender.sealed(JPEG, challenge, time_ms=5.0 * number)
        sender.clock.now_s += 0.001
        sender.send(upload)
    assert refused(sender, sender.sealed(b"", challenge, time_ms=260.0)) == "verify_too_short"


def test_too_few_frames_show_nothing() -> None:
    sender = page()
    challenge = sender.session.challenge
    assert challenge is not None
    sender.frame()
    sender.clock.now_s += challenge.duration_s + 0.3
    assert refused(sender, sender.sealed(b"", challenge)) == "verify_too_few_frames"


def test_an_upload_cannot_reach_beyond_its_challenge() -> None:
    """What is not told yet cannot be answered in the same breath."""
    sender = page()
    challenge = sender.session.challenge
    assert challenge is not None
    while sender.frames * STEP_S <= challenge.duration_s + STEP_S:
        sender.frame()
    sender.clock.now_s += 0.05
    end = sender.sealed(b"", challenge)
    next_frame = sender.sealed(JPEG, challenge, sequence=sender.sequence + 1, challenge=1)
    with pytest.raises(Refused) as caught:
        sender.session.receive([end, next_frame])
    assert caught.value.reason.code == "verify_wrong_challenge"


@given(st.data())
def test_a_tampered_upload_is_refused(data: st.DataObject) -> None:
    sender = page()
    sender.frame()
    challenge = sender.session.challenge
    assert challenge is not None
    sender.clock.now_s += 0.1
    body = bytearray(packed(sender.sealed(JPEG, challenge)))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((Refused, UsageError)):
        sender.session.receive(parsed(bytes(body)))


def test_a_seal_of_another_session_is_worth_nothing() -> None:
    sender = page()
    challenge = sender.session.challenge
    assert challenge is not None
    sender.clock.now_s += 0.1
    other = Page(sender.session, bytes(32), sender.clock, sender.began_s)
    other.began_s = sender.began_s
    assert refused(other, other.sealed(JPEG, challenge)) == "verify_tampered"


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_uploads_are_read_as_they_were_written(tails: list[bytes]) -> None:
    uploads = tuple(
        FrameUpload(i, 0, 10.0 * i, seal(KEY, b"n", i, 0, 10.0 * i, JPEG + t), JPEG + t)
        for i, t in enumerate([b"", *tails])
    )
    assert parsed(packed(*uploads)) == uploads


@given(st.binary(max_size=300))
def test_nonsense_is_told_as_that(body: bytes) -> None:
    with contextlib.suppress(UsageError):
        assert parsed(body)


def test_a_body_cannot_hold_more_than_a_little() -> None:
    with pytest.raises(UsageError, match="at once"):
        parsed(packed(*[FrameUpload(i, 0, i, bytes(32), JPEG) for i in range(MOST_RECORDS + 1)]))
    with pytest.raises(UsageError, match="larger"):
        parsed(packed(FrameUpload(0, 0, 0, bytes(32), JPEG + bytes(600_000))))
    with pytest.raises(UsageError, match="time"):
        parsed(packed(FrameUpload(0, 0, float("nan"), bytes(32), JPEG)))


def test_one_session_of_a_subject_at_a_time() -> None:
    clock = Clock()
    book = VerificationBook(3, clock)
    first = book.open("someone", "bank", flash=True, keep_s=60)
    with pytest.raises(SubjectBusy):
        book.open("someone", "bank", flash=True, keep_s=60)
    book.open("someone", "another relying party", flash=True, keep_s=60)
    book.open("somebody else", "bank", flash=True, keep_s=60)
    with pytest.raises(BookFull):
        book.open("a fourth", "bank", flash=True, keep_s=60)
    assert book.find(first.id, "bank") is first
    assert book.find(first.id, "another relying party") is None
    clock.now_s += LASTS_S + 1
    assert book.running == 0
    assert first.result is not None
    assert (first.result.decision, first.result.reasons[0].code) == ("retry", "verify_expired")
    assert book.open("someone", "bank", flash=False, keep_s=60).flash is False
    clock.now_s += 61
    assert book.find(first.id, "bank") is None, "forgotten when its time is over"


class WrongOrders(RuleBasedStateMachine):
    """A page that may do what is right and everything that is wrong. After the first wrong step nothing
    helps: the session is never complete."""

    def __init__(self) -> None:
        super().__init__()
        self.page = page()
        self.wrong = False

    @initialize(flash=st.booleans(), done=st.integers(0, 3))
    def begin(self, flash: bool, done: int) -> None:
        self.page = page(flash=flash)
        for _ in range(done):
            self.page.finish()

    def attempt(self, upload: FrameUpload) -> None:
        self.wrong = self.wrong or not self.page.session.complete
        with pytest.raises(Refused):
            self.page.session.receive([upload])

    @property
    def runs(self) -> bool:
        return self.page.session.challenge is not None

    @precondition(lambda self: self.runs)
    @rule()
    def frame(self) -> None:
        with contextlib.suppress(Refused):  # such as the one that comes too late after a pause
            self.page.frame()

    @precondition(lambda self: self.runs and not self.page.frames)
    @rule()
    def whole_challenge(self) -> None:
        with contextlib.suppress(Refused):
            self.page.finish()

    @rule(which=st.integers(0, 10**6))
    def replay(self, which: int) -> None:
        if self.page.sent:
            self.attempt(self.page.sent[which % len(self.page.sent)])

    @precondition(lambda self: self.runs)
    @rule(ahead=st.integers(1, 5), end=st.booleans())
    def skip(self, ahead: int, end: bool) -> None:
        self.page.clock.now_s += 0.05
        jpeg = b"" if end else JPEG
        wrong = self.page.sealed(jpeg, self._due, sequence=self.page.sequence + ahead)
        self.attempt(wrong)

    @precondition(lambda self: self.runs)
    @rule(challenge=st.integers(0, 6), end=st.booleans())
    def other_challenge(self, challenge: int, end: bool) -> None:
        if challenge != self.page.session.number:
            self.page.clock.now_s += 0.05
            self.attempt(self.page.sealed(b"" if end else JPEG, self._due, challenge=challenge))

    @precondition(lambda self: self.runs and self.page.sent)
    @rule(back_ms=st.floats(0, 5000))
    def turn_back_time(self, back_ms: float) -> None:
        self.attempt(
            self.page.sealed(JPEG, self._due, time_ms=max(0.0, self.page.sent[-1].time_ms - back_ms))
        )

    @precondition(lambda self: self.runs)
    @rule(ahead_ms=st.floats(300, 1e6))
    def claim_the_future(self, ahead_ms: float) -> None:
        time_ms = 1000 * (self.page.clock() - self.page.began_s) + ahead_ms
        self.attempt(self.page.sealed(JPEG, self._due, time_ms=time_ms))

    @precondition(lambda self: self.runs and self.page.frames * STEP_S < 3)
    @rule()
    def end_too_early(self) -> None:
        self.page.clock.now_s += 0.05
        self.attempt(self.page.sealed(b"", self._due))

    @precondition(lambda self: self.runs and not self.page.frames)
    @rule(wait_s=st.floats(BEGIN_S + 0.01, 30))
    def begin_late(self, wait_s: float) -> None:
        self.page.clock.now_s += wait_s
        self.attempt(self.page.sealed(JPEG, self._due))

    @precondition(lambda self: self.runs)
    @rule(place=st.integers(0, 31), bit=st.integers(0, 7))
    def wrong_seal(self, place: int, bit: int) -> None:
        self.page.clock.now_s += 0.05
        right = self.page.sealed(JPEG, self._due)
        mark = bytearray(right.seal)
        mark[place] ^= 1 << bit
        self.attempt(FrameUpload(right.sequence, right.challenge, right.time_ms, bytes(mark), JPEG))

    @property
    def _due(self) -> Any:
        challenge = self.page.session.challenge
        assert challenge is not None
        return challenge

    @invariant()
    def nothing_wrong_is_ever_complete(self) -> None:
        if self.wrong:
            assert not self.page.session.complete
            assert self.page.session.end is not None
            assert self.page.session.challenge is None


TestWrongOrders = WrongOrders.TestCase
TestWrongOrders.settings = settings(stateful_step_count=10)
