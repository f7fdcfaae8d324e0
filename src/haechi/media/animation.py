"""Pictures that move (GIF, WebP, AVIF, APNG): short videos, of which every frame may be looked at.

A title card first, and the rest behind it, must not decide what is examined. Frames are decoded in order,
one at a time: memory does not grow with their number.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from haechi.errors import OverLimit
from haechi.media.clock import Clock
from haechi.media.colour import ColourTransform, colour_transform
from haechi.media.decoders import decoder_class, decoder_errors
from haechi.media.limits import check_memory, check_pixels
from haechi.media.pixels import to_rgb
from haechi.settings import Settings
from haechi.types import Fact, Frame

_CURE = "cut the moving picture shorter"
# Browsers show a frame that asks for less than the first for as long as the second: so people see it.
_SHORTEST_MS, _INSTEAD_MS = 11, 100


@dataclass(frozen=True, slots=True)
class Animation:
    """A moving picture as a video: ``animation(n)`` yields at most n evenly spaced Frames, as often as asked.

    times_s: when each frame begins. duration_s: to the end of the last one."""

    data: bytes = field(repr=False)
    form: str
    settings: Settings
    times_s: tuple[float, ...]
    duration_s: float
    width_px: int
    height_px: int
    facts: dict[str, Fact]

    @property
    def fps(self) -> float | None:
        """Frames a second in the mean."""
        return len(self.times_s) / self.duration_s if self.duration_s > 0 else None

    def __call__(self, n: int) -> Iterator[Frame]:
        """The middles of n equal parts of the frames. Raises OverLimit after decode_timeout_s of decoding."""
        frames = len(self.times_s)
        count = min(n, frames)
        if count <= 0:
            return
        clock = Clock(self.settings.decode_timeout_s, _CURE)
        with decoder_errors(self.form):
            image = decoder_class(self.form)(io.BytesIO(self.data))
        part = 0
        colours: ColourTransform | None = None
        with image:
            for index in range(frames):
                with decoder_errors(self.form):
                    _show(image, index)
                    if index == 0:
                        colours = _colours(image, {})
                clock.check()
                if index == (2 * part + 1) * frames // (2 * count):
                    part += 1
                    with decoder_errors(self.form):
                        rgb = to_rgb(image, colours)
                    clock.stop()
                    yield Frame(rgb, index, self.times_s[index])
                    clock.start()
                    if part == count:
                        return


def open_animation(data: bytes, form: str, settings: Settings, facts: dict[str, Fact]) -> Animation | None:
    """The moving picture in ``data``, or None for a still. Every frame is decoded once, to know that it can
    be, and when it is shown. Raises DamagedFile, OverLimit."""
    clock = Clock(settings.decode_timeout_s, _CURE)
    times_s: list[float] = []
    at_ms = 0.0
    with decoder_errors(form), decoder_class(form)(io.BytesIO(data)) as image:
        width, height = image.size
        check_pixels(width, height, settings)
        frames = int(image.n_frames)
        if frames < 2:
            return None
        check_memory(form, width, height, len(data), settings, animated=True)
        for index in range(frames):
            _show(image, index)
            clock.check()
            times_s.append(at_ms / 1000)
            at_ms += _delay_ms(image, form)
            if at_ms / 1000 > settings.max_duration_s:
                raise OverLimit(
                    f"The moving picture lasts longer than the limit of {settings.max_duration_s:g} s: cut "
                    "out the part in question, or raise HAECHI_MAX_DURATION_S."
                )
            if index == 0:
                _colours(image, facts)
    facts |= {"animated": True, "frames": frames, "rotation_deg": 0}
    return Animation(data, form, settings, tuple(times_s), at_ms / 1000, width, height, facts)


def _show(image: Any, index: int) -> None:
    image.seek(index)
    image.load()


def _colours(image: Any, facts: dict[str, Fact]) -> ColourTransform | None:
    profile = image.info.get("icc_profile")
    return colour_transform(profile, image.mode, facts) if profile else None


def _delay_ms(image: Any, form: str) -> float:
    delay = float(image.info.get("duration") or 0)
    if form == "avif" and delay > 0:
        return delay
    return delay if delay >= _SHORTEST_MS else _INSTEAD_MS
