"""Pixels that a program holds, an array or a picture of Pillow's -> Media. There is no file: nothing is known
of its format, its compression or what it says of itself, and ``container`` says so (format ``pixels``).

``sha256`` is that of the RGB bytes, row by row, as they are judged: it tells two pictures apart, and is not
that of any file."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from haechi.errors import DamagedFile, InputError, OverLimit, UsageError
from haechi.media.colour import colour_transform
from haechi.media.limits import check_memory, check_pixels
from haechi.media.pixels import to_rgb
from haechi.settings import Settings
from haechi.types import U8, Fact, Frame, Media

PIXELS_NAME = "<pixels>"


@dataclass(frozen=True, slots=True)
class Still:
    """The reader of a photograph: one frame, decoded once."""

    rgb: U8

    def __call__(self, n: int) -> Iterator[Frame]:
        if n > 0:
            yield Frame(self.rgb, 0, 0.0)


def array_media(rgb: np.ndarray[Any, Any], settings: Settings) -> Media:
    """A picture u8 (H, W, 3), RGB, upright; it is copied. Raises UsageError when it is no such array, and
    OverLimit when it is too large."""
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise UsageError(
            f"The array has the shape {rgb.shape}, but a picture is (height, width, 3): {_cure(rgb.shape)}."
        )
    if rgb.dtype != np.uint8:
        raise UsageError(
            f"The array holds {rgb.dtype}, but a picture holds uint8 from 0 to 255: scale its values to that "
            "range, round them and convert them with .astype('uint8')."
        )
    check_pixels(rgb.shape[1], rgb.shape[0], settings)
    return _pixels(np.array(rgb, np.uint8, order="C"), {})


def pillow_media(image: Any, settings: Settings) -> Media:
    """A picture of Pillow's of any mode, its pixels decoded as they are seen: turned by its Exif orientation,
    its colours brought to sRGB, what is transparent laid on white; of an animation, the frame at which it
    stands. The file that it may come from is not read. Raises DamagedFile when its pixels cannot be decoded,
    OverLimit when it is too large."""
    check_pixels(image.width, image.height, settings)
    check_memory("png", image.width, image.height, 0, settings)
    facts: dict[str, Fact] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            upright = _upright(image)
            profile = upright.info.get("icc_profile")
            colours = colour_transform(profile, upright.mode, facts) if isinstance(profile, bytes) else None
            rgb = to_rgb(upright, colours)
    except InputError:
        raise
    except MemoryError as error:
        raise OverLimit("The picture needs more memory than there is: reduce it and try again.") from error
    except Exception as error:
        # Pillow lets whatever a broken file provokes escape; a picture that was closed is no other case.
        raise DamagedFile(
            "The pixels of this Pillow image cannot be decoded: keep its file open until it is checked, or "
            "give the file itself."
        ) from error
    return _pixels(rgb, facts)


def _upright(image: Any) -> Any:
    from PIL import ImageOps

    image.load()
    return ImageOps.exif_transpose(image)


def _pixels(rgb: U8, facts: dict[str, Fact]) -> Media:
    return Media(
        name=PIXELS_NAME,
        sha256=hashlib.sha256(rgb.data).hexdigest(),
        kind="image",
        width_px=rgb.shape[1],
        height_px=rgb.shape[0],
        fps=None,
        duration_s=None,
        container={"format": "pixels", **facts},
        reader=Still(rgb),
    )


def _cure(shape: tuple[int, ...]) -> str:
    """What to do with an array of another shape."""
    if len(shape) == 2:
        return "make three channels of the grey one, as in np.dstack([a] * 3)"
    if len(shape) == 3 and shape[2] == 4:
        return "leave out the transparency, as in a[:, :, :3]"
    if len(shape) == 3 and shape[2] == 1:
        return "repeat the grey channel, as in a.repeat(3, 2)"
    if len(shape) == 3 and shape[0] == 3:
        return "move the colours to the end, as in a.transpose(1, 2, 0)"
    if len(shape) == 4:
        return "give one picture at a time, as in a[0]"
    return "give one picture in RGB"
