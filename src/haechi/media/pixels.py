"""A picture of Pillow's, of any mode -> upright RGB of 8 bits, a band of rows at a time: a large picture is
never held a third time on the way."""

from __future__ import annotations

from typing import Any

import numpy as np

from haechi.errors import UnknownFormat
from haechi.media.colour import ColourTransform
from haechi.media.opencv import opencv
from haechi.types import U8

_BAND_ROWS = 256
_LAYERED = frozenset({"La", "LA", "PA", "RGBA", "RGBa"})


def to_rgb(image: Any, colours: ColourTransform | None = None) -> U8:
    """u8 (H, W, 3) from any of Pillow's modes, through ``colours`` where the file brings a profile.

    What is transparent is laid on white, as pages show it: the colours hidden under full transparency
    are leftovers that nobody sees."""
    if image.mode == "LAB":
        raise UnknownFormat("The picture is in the LAB colour space, which is not read here: save it as RGB.")
    width, height = image.size
    deep = image.mode.startswith("I;16") or image.mode in ("I", "F")
    low, high = _range(image) if deep else (0.0, 0.0)
    rgb = np.empty((height, width, 3), np.uint8)
    # A band stays in the processor's cache: a third of the time of np.array(image), none of its copies.
    for top in range(0, height, _BAND_ROWS):
        bottom = min(height, top + _BAND_ROWS)
        band = image.crop((0, top, width, bottom))
        if deep:
            rgb[top:bottom] = _to_eight_bits(np.asarray(band), low, high)[:, :, None]
        else:
            rgb[top:bottom] = np.asarray(_flat(band, colours))
    return rgb


def differ(rgb: U8, image: Any, colours: ColourTransform | None = None) -> bool:
    """Whether ``rgb`` is another picture than Pillow's ``image`` by the same ``colours``."""
    width, height = image.size
    if rgb.shape != (height, width, 3):
        return True
    for top in range(0, height, _BAND_ROWS):
        bottom = min(height, top + _BAND_ROWS)
        band = np.asarray(_flat(image.crop((0, top, width, bottom)), colours))
        if not np.array_equal(rgb[top:bottom], band):
            return True
    return False


def _flat(band: Any, colours: ColourTransform | None) -> Any:
    """A band as Pillow's RGB, without transparency."""
    from PIL import Image

    if band.mode not in _LAYERED and not band.has_transparency_data:
        if colours is not None:
            return colours.to_srgb(band)
        return band if band.mode == "RGB" else band.convert("RGB")
    layered = band.convert("RGBA")
    opaque = layered.convert("RGB") if colours is None else colours.to_srgb(_without_layer(band, layered))
    flat = Image.new("RGB", band.size, (255, 255, 255))
    flat.paste(opaque, mask=layered.getchannel("A"))
    return flat


def _without_layer(band: Any, layered: Any) -> Any:
    """The colours under a transparency, in the mode that the picture's profile speaks of."""
    return band.getchannel("L") if band.mode in ("LA", "La") else layered.convert("RGB")


def _range(image: Any) -> tuple[float, float]:
    """What becomes black and white of 16 bits, 32 bits or floating point.

    16 bits are scaled by their full range. 32 bits and floats have no agreed range: 0 to 1 (floats),
    0 to 255 and 0 to 65535 are recognised, anything else is stretched from its least to its greatest."""
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    width, height = image.size
    ends: list[float] = []
    for top in range(0, height, _BAND_ROWS):
        band = _finite(np.asarray(image.crop((0, top, width, min(height, top + _BAND_ROWS)))))
        ends += [float(band.min()), float(band.max())]
    low, high = min(ends), max(ends)
    tops = (255.0, 65535.0) if image.mode == "I" else (1.0, 255.0, 65535.0)
    if low >= 0 and (top_value := next((t for t in tops if high <= t), None)):
        return 0.0, top_value
    return low, high


def _finite(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    finite: np.ndarray[Any, np.dtype[np.float32]] = np.nan_to_num(
        values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0
    )
    return finite


def _to_eight_bits(values: np.ndarray[Any, np.dtype[Any]], low: float, high: float) -> U8:
    """Grey (H, W) -> u8 (H, W), ``low`` as black and ``high`` as white."""
    scale = 255.0 / (high - low) if high > low else 0.0
    scaled: U8 = np.clip(np.rint((_finite(values) - low) * scale), 0, 255).astype(np.uint8)
    return scaled


def orient(rgb: U8, degrees: int, mirrored: bool) -> U8:
    """u8 (H, W, 3) mirrored left to right if asked, then turned clockwise by 0, 90, 180 or 270 degrees."""
    if not degrees and not mirrored:
        return rgb
    cv2 = opencv()
    if mirrored:
        rgb = cv2.flip(rgb, 1)
    if degrees:
        turn = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
        rgb = cv2.rotate(rgb, turn[degrees])
    return rgb
