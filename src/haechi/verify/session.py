"""One session from its first frame to its last: who may send what, when, and in which order.

    open --(frames, end) x challenges--> complete
      \\--(anything else)--> ended, with a reason

Nothing is taken twice, early, late or out of order; whatever is not exactly what is due ends the session, so
that nobody gets a second try at one challenge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from haechi.types import Reason
from haechi.verify.challenges import BEGIN_S, Challenge
from haechi.verify.types import Decision
from haechi.verify.uploads import FrameUpload, is_sealed

MOST_LAG_S = 3.0
"""A frame that arrives so long after the time it names is late; its network is too slow for a session."""
CLOCK_SLIP_S = 0.25
"""A frame may be so far ahead of our clock: the clocks of two machines do not run alike."""
SPARE_S = 3.0
"""How much longer than its duration a challenge may take, on top of the time to begin."""
LEAST_FPS, MOST_FPS = 5.0, 40.0
_UNFAIR = ("verify_tampered", "verify_replayed", "verify_reordered", "verify_wrong_challenge", "verify_clock")


class Refused(Exception):
    """An upload that is not the one that is due; the session has ended by it. ``reason``: why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Take:
    """The frames of one challenge that has been done. times_s: since its first frame, ascending; jpegs: as
    they came, one each · began_s: from the moment in which it was told to the first frame."""

    challenge: Challenge
    times_s: tuple[float, ...]
    jpegs: tuple[bytes, ...] = field(repr=False)
    began_s: float = 0.0


class VerificationSession:
    """``clock``: seconds that never run backwards. Not for several threads."""

    def __init__(
        self, challenges: Sequence[Challenge], key: bytes, lasts_s: float, clock: Callable[[], float]
    ) -> None:
        self._challenges, self._key, self._clock = tuple(challenges), key, clock
        self._opened_s = self._told_s = clock()
        self._expires_s = self._opened_s + lasts_s
        self._number = self._sequence = 0
        self._last_ms = -1.0
        self._first_arrival_s = 0.0
        self._frames: list[FrameUpload] = []
        self._end: Reason | None = None

    @property
    def end(self) -> Reason | None:
        """Why it ended before it was complete; None while it runs and when it is complete."""
        if self._end is None and not self.complete and self._clock() > self._expires_s:
            self._refused("verify_expired")
        return self._end

    @property
    def complete(self) -> bool:
        """Whether every challenge has been done."""
        return self._end is None and self._number == len(self._challenges)

    @property
    def number(self) -> int:
        """Of the challenge that is due, from 0; how many there are when all have been done."""
        return self._number

    @property
    def count(self) -> int:
        """How many challenges there are."""
        return len(self._challenges)

    @property
    def challenge(self) -> Challenge | None:
        """The one that is due; None when there is none any more. The next is not told before its time."""
        return None if self.complete or self.end is not None else self._challenges[self._number]

    def receive(self, uploads: Sequence[FrameUpload]) -> Take | None:
        """Take uploads in; the frames of the challenge when the last of them says that it has been done.
        Raises Refused."""
        take = None
        for upload in uploads:
            if take is not None:
                # Sealed for a challenge that was not told yet, or for the one that is over.
                raise self._refused("verify_wrong_challenge")
            take = self._one(upload)
        return take

    def fail(self, code: str) -> Refused:
        """End it for a reason that lies outside of it, such as a body that is no upload."""
        return self._refused(code)

    def _one(self, upload: FrameUpload) -> Take | None:
        now_s = self._clock()
        challenge = self.challenge
        if challenge is None:
            raise self._refused(self._end.code if self._end is not None else "verify_over")
        self._check_place(upload, challenge)
        self._check_time(upload, challenge, now_s)
        self._sequence += 1
        self._last_ms = upload.time_ms
        if upload.jpeg:
            if not self._frames:
                self._first_arrival_s = now_s
            self._frames.append(upload)
            return None
        return self._done(upload, challenge, now_s)

    def _check_place(self, upload: FrameUpload, challenge: Challenge) -> None:
        if upload.sequence < self._sequence:
            raise self._refused("verify_replayed")
        if upload.sequence > self._sequence:
            raise self._refused("verify_reordered")
        if upload.challenge != self._number:
            raise self._refused("verify_wrong_challenge")
        if not is_sealed(upload, self._key, challenge.nonce):
            raise self._refused("verify_tampered")

    def _check_time(self, upload: FrameUpload, challenge: Challenge, now_s: float) -> None:
        elapsed_s = now_s - self._opened_s
        if upload.time_ms <= self._last_ms or upload.time_s > elapsed_s + CLOCK_SLIP_S:
            raise self._refused("verify_clock")
        if elapsed_s - upload.time_s > MOST_LAG_S:
            raise self._refused("verify_late")
        if not self._frames and now_s - self._told_s > BEGIN_S:
            raise self._refused("verify_late_begin")
        if now_s - self._told_s > BEGIN_S + challenge.duration_s + SPARE_S:
            raise self._refused("verify_late")
        if upload.jpeg and len(self._frames) >= MOST_FPS * (challenge.duration_s + SPARE_S):
            raise self._refused("verify_too_many_frames")

    def _done(self, upload: FrameUpload, challenge: Challenge, now_s: float) -> Take:
        if not self._frames:
            raise self._refused("verify_too_few_frames")
        lasted_s = upload.time_s - self._frames[0].time_s
        # By both clocks: of the page's alone it could claim time that did not pass.
        if min(lasted_s, now_s - self._first_arrival_s + CLOCK_SLIP_S) < challenge.duration_s:
            raise self._refused("verify_too_short")
        if len(self._frames) < LEAST_FPS * challenge.duration_s:
            raise self._refused("verify_too_few_frames")
        first_ms = self._frames[0].time_ms
        take = Take(
            challenge,
            tuple((f.time_ms - first_ms) / 1000 for f in self._frames),
            tuple(f.jpeg for f in self._frames),
            self._first_arrival_s - self._told_s,
        )
        self._frames = []
        self._number += 1
        self._told_s = now_s
        return take

    def _refused(self, code: str) -> Refused:
        """The first reason stays; what is complete cannot be spoilt any more."""
        reason = Reason(code)
        if not self.complete:
            self._end = self._end or reason
            self._frames = []
        return Refused(reason)


def decision_of(end: Reason) -> Decision:
    """How a session ends that broke off: refused where somebody meddled with it, to be tried again where a
    slow network or a slow person may be the cause."""
    return "refuse" if end.code in _UNFAIR else "retry"
