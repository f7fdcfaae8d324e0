"""A page for tests: it knows the key of its session and seals what it is told to send, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from haechi.verify.challenges import Challenge
from haechi.verify.session import Take, VerificationSession
from haechi.verify.uploads import FrameUpload, seal

STEP_S = 0.15
JPEG = b"\xff\xd8\xff" + bytes(20)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Page:
    """Sends what is due; ``sent``: everything so far."""

    session: VerificationSession
    key: bytes
    clock: Clock
    began_s: float = 0.0
    sequence: int = 0
    frames: int = 0
    sent: list[FrameUpload] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began_s = self.clock()

    def sealed(self, jpeg: bytes, due: Challenge, /, **other: float) -> FrameUpload:
        """An upload that is due now, but for what is named."""
        values = {"sequence": self.sequence, "challenge": self.session.number}
        values |= {"time_ms": 1000 * (self.clock() - self.began_s)}
        values |= other
        sequence, number, time_ms = int(values["sequence"]), int(values["challenge"]), values["time_ms"]
        mark = seal(self.key, due.nonce, sequence, number, time_ms, jpeg)
        return FrameUpload(sequence, number, time_ms, mark, jpeg)

    def send(self, upload: FrameUpload) -> Take | None:
        self.sent.append(upload)
        take = self.session.receive([upload])
        self.sequence += 1
        self.frames = 0 if take is not None else self.frames + 1
        return take

    def frame(self) -> None:
        """The next frame, a moment later."""
        self.clock.now_s += STEP_S
        challenge = self.session.challenge
        assert challenge is not None
        jpeg = JPEG + self.sequence.to_bytes(4, "little")
        assert self.send(self.sealed(jpeg, challenge)) is None

    def finish(self) -> Take:
        """All frames of the challenge that is due, and its end."""
        challenge = self.session.challenge
        assert challenge is not None
        while self.frames * STEP_S <= challenge.duration_s + STEP_S:
            self.frame()
        self.clock.now_s += STEP_S / 2
        take = self.send(self.sealed(b"", challenge))
        assert take is not None
        return take
