"""Colour profiles (ICC) -> sRGB, which is what the networks were taught on and what screens expect.

Cameras and programs write wide colours (Display P3, Adobe RGB) or inks (CMYK); read as sRGB they come out
dull or wrong. Profiles of three colours are matrices, for which there is one sensible intent: relative
colorimetric keeps every colour that sRGB has exactly as it was. Profiles of inks hold tables with an intent
of their own, perceptual, by which their makers say how a print is to look on a screen: clipping would lose
the modelling of skin in the shadows.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np

from haechi.media.exif import clean
from haechi.types import Fact

_MODES = {"RGB": ("RGB", "RGBA", "P", "PA", "RGBX"), "GRAY": ("L", "LA", "1"), "CMYK": ("CMYK",)}
_PILLOW = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_LARGEST_BYTES = 4 * 1024**2
# Steps of 255 by which colours may differ while the profile counts as sRGB by another name: rounding.
_SAME = 2


class ColourTransform:
    """One picture's way to sRGB. ``to_srgb`` takes Pillow's picture and gives one of mode RGB."""

    def __init__(self, transform: Any, mode: str) -> None:
        self._transform, self._mode = transform, mode

    def to_srgb(self, image: Any) -> Any:
        own = image if image.mode == self._mode else image.convert(self._mode)
        return self._transform.apply(own)


def colour_transform(profile: bytes, mode: str, facts: dict[str, Fact]) -> ColourTransform | None:
    """The way from the embedded ``profile`` of a picture of Pillow's ``mode`` to sRGB; None where none is
    needed or possible. Notes in ``facts`` what the profile is called, and whether it was followed; a broken
    one is left aside, as browsers do, and noted as such."""
    from PIL import ImageCms

    try:
        if len(profile) > _LARGEST_BYTES:
            raise ValueError("larger than any real profile")
        parsed = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = parsed.profile.xcolor_space.strip()
        facts["colour_profile"] = clean(ImageCms.getProfileDescription(parsed)) or "?"
        if mode not in _MODES.get(space, ()):
            raise ValueError("a profile of other colours than the picture's")
        transform = _transform(parsed, _PILLOW[space])
        if _changes_nothing(transform, _PILLOW[space]):
            return None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        facts["colour_profile_broken"] = True
        return None
    facts["colour_converted"] = True
    return ColourTransform(transform, _PILLOW[space])


def _transform(profile: Any, mode: str) -> Any:
    from PIL import ImageCms

    srgb: Any = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    inks = mode == "CMYK"
    intent = ImageCms.Intent.PERCEPTUAL if inks else ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.ImageCmsTransform(
        profile, srgb, mode, "RGB", intent,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip


def _changes_nothing(transform: Any, mode: str) -> bool:
    """Whether the profile is sRGB by another name. Pixels then stay as they are stored."""
    if mode == "CMYK":
        return False
    samples = _samples(mode)
    before = np.asarray(samples.convert("RGB")).astype(int)
    return bool(np.abs(np.asarray(transform.apply(samples)).astype(int) - before).max() <= _SAME)


@cache
def _samples(mode: str) -> Any:
    """Pillow's picture of colours spread over the whole space."""
    from PIL import Image

    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None, :])
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(16, 256, 3)
    return Image.fromarray(np.ascontiguousarray(cube))
