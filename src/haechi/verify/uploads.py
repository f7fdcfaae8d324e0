"""The frames of a session on their way: how they are written, and the seal that binds each to its place.

One upload is one or more records, each

    u32 sequence · u32 challenge · f64 time_ms · u32 length · 32 bytes seal · JPEG of that length

in little endian; a length of 0 says that the challenge has been done. The seal is HMAC-SHA-256 (RFC 2104)
with the key of the session over the label, the nonce of the challenge, sequence, challenge, time and SHA-256
of the JPEG. It shows that nobody between the page and the server changed, dropped, repeated or moved a
frame. It does not show that a camera made it: whoever holds the page holds the key.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import struct
from dataclasses import dataclass

from haechi.errors import UsageError

LABEL = b"haechi.verify/1"
MOST_FRAME_BYTES = 512 * 1024
MOST_RECORDS = 32
_HEAD = struct.Struct("<IIdI32s")
_SEALED = struct.Struct("<IId")
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class FrameUpload:
    """sequence: from 0, without a gap · challenge: its number, from 0 · time_ms: since the session was
    opened, by the clock of the page · jpeg: empty where it says that the challenge has been done."""

    sequence: int
    challenge: int
    time_ms: float
    seal: bytes
    jpeg: bytes

    @property
    def time_s(self) -> float:
        return self.time_ms / 1000


def seal(key: bytes, nonce: bytes, sequence: int, challenge: int, time_ms: float, jpeg: bytes) -> bytes:
    """32 bytes."""
    text = LABEL + nonce + _SEALED.pack(sequence, challenge, time_ms) + hashlib.sha256(jpeg).digest()
    return hmac.digest(key, text, "sha256")


def is_sealed(upload: FrameUpload, key: bytes, nonce: bytes) -> bool:
    """Whether the seal fits, told in constant time."""
    whole = seal(key, nonce, upload.sequence, upload.challenge, upload.time_ms, upload.jpeg)
    return hmac.compare_digest(whole, upload.seal)


def packed(*uploads: FrameUpload) -> bytes:
    """The body of a request."""
    return b"".join(
        _HEAD.pack(u.sequence, u.challenge, u.time_ms, len(u.jpeg), u.seal) + u.jpeg for u in uploads
    )


def parsed(body: bytes) -> tuple[FrameUpload, ...]:
    """The records of a body, in their order. Raises UsageError."""
    uploads: list[FrameUpload] = []
    place = 0
    while place < len(body):
        if len(uploads) == MOST_RECORDS:
            raise UsageError(f"More than {MOST_RECORDS} frames came at once: send them as they are made.")
        if len(body) - place < _HEAD.size:
            raise UsageError("The frames end in the middle of a record: send whole ones.")
        sequence, challenge, time_ms, length, mark = _HEAD.unpack_from(body, place)
        place += _HEAD.size
        jpeg = body[place : place + length]
        if length > MOST_FRAME_BYTES:
            raise UsageError(f"A frame is larger than {MOST_FRAME_BYTES // 1024} kB: reduce it.")
        if len(jpeg) < length:
            raise UsageError("A frame ends before its length: send it whole.")
        if jpeg and not jpeg.startswith(_JPEG):
            raise UsageError("A frame is no JPEG: encode it as one.")
        if not math.isfinite(time_ms) or time_ms < 0:
            raise UsageError("A frame has a time that is none: send milliseconds since the session began.")
        uploads.append(FrameUpload(sequence, challenge, time_ms, mark, jpeg))
        place += length
    if not uploads:
        raise UsageError("No frame came: send at least one.")
    return tuple(uploads)
