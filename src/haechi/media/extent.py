"""How much of a video there is, and whether what could be decoded is all of it."""

from __future__ import annotations

from dataclasses import dataclass

from haechi.errors import DamagedFile

# Fewer decoded pictures than this share of the packets: the stream is damaged. Sound streams stay near 1;
# two fields in two packets give one half. So the times tell more: a stretch of more than this share of the
# video without a picture is damage too, unless its packets themselves lie so far apart.
_LEAST_DECODED = 0.45
_MOST_MISSING = 0.1


@dataclass(frozen=True, slots=True)
class Extent:
    """frames (or packets) of a whole video, the times of the first and last, and the widest step between."""

    frames: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    step_s: float = 0.0

    @property
    def span_s(self) -> float:
        return self.last_s - self.first_s

    def with_one(self, at_s: float) -> Extent:
        """With one more at this time. Packets come in the order of decoding, so times may go back."""
        if self.frames == 0:
            return Extent(1, at_s, at_s, 0.0)
        step_s = max(self.step_s, at_s - self.last_s)
        return Extent(self.frames + 1, min(self.first_s, at_s), max(self.last_s, at_s), step_s)

    def check(self, decoded: Extent) -> None:
        """Raises DamagedFile when the pictures decoded from all of these packets leave too much out."""
        if decoded.frames + 1 < _LEAST_DECODED * self.frames:
            raise DamagedFile(
                f"Only {decoded.frames} of this video's {self.frames} frames can be decoded, because the "
                "rest is damaged: get the file again, or the original."
            )
        missing_s = max(decoded.step_s, decoded.first_s - self.first_s, self.last_s - decoded.last_s)
        # Times are rounded to milliseconds in some containers, and a lost field or two is no loss.
        if missing_s > max(_MOST_MISSING * self.span_s, 2 * self.step_s) + 0.002:
            raise DamagedFile(
                f"Of this video's {self.span_s:.1f} s, {missing_s:.1f} s on end cannot be decoded, because "
                "that part is damaged: get the file again, or the original."
            )
