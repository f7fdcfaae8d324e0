"""What a picture may cost, asked before its pixels are decoded: pixels, and memory in flight.

A picture of little on disk can be a giant in memory: decoders hold it two to six times at once. The bytes a
pixel below were measured in fresh processes, per format and way of coding, as the peak of resident memory.
"""

from __future__ import annotations

from haechi.errors import DamagedFile, OverLimit
from haechi.settings import Settings

# Bytes that decoding holds at once: for each pixel, and for each byte of the file.
_PER_PIXEL = {
    "jpeg": 8.0, "png": 8.0, "gif": 6.0, "bmp": 7.5, "tiff": 7.5, "webp": 17.5, "avif": 11.0, "heic": 12.0,
    "jxl": 10.0,
}  # fmt: skip
_PER_PIXEL_ANIMATED = 21.0
_PER_BYTE = 2
# A JPEG in passes keeps the coefficients of all of it, 2 bytes each, to its end.
_PER_COEFFICIENT = 2


class OverMemory(OverLimit):
    """More memory than the settings allow: the limit that depends on when a file is read, not on the file."""


def check_pixels(width: int, height: int, settings: Settings) -> None:
    """Raises OverLimit for a picture larger than the settings allow, DamagedFile for one of no size."""
    if width < 1 or height < 1:
        raise DamagedFile(
            "The picture says that it is 0 pixels wide or high: get the file again, or the original."
        )
    if width * height > settings.max_pixels:
        raise OverLimit(
            f"The picture is {width} x {height} pixels, over the limit of {settings.max_pixels:,} pixels: "
            "reduce it, or raise HAECHI_MAX_PIXELS."
        )


def check_memory(
    form: str, width: int, height: int, size: int, settings: Settings, animated: bool = False
) -> None:
    """Raises OverMemory when decoding a picture of a format of ``sniff``, of ``size`` bytes, would hold more
    memory than the settings allow."""
    needed = memory_bytes(form, width * height, size, animated)
    if needed > settings.max_memory_bytes:
        raise _too_much(f"Decoding this picture of {width} x {height} pixels", needed, settings)


def check_file(size: int, settings: Settings) -> None:
    """Raises OverMemory for a picture whose bytes alone would be too much; videos are never read whole."""
    if size * _PER_BYTE > settings.max_memory_bytes:
        raise _too_much(f"Reading this picture of {size:,} bytes", size * _PER_BYTE, settings)


def memory_bytes(form: str, pixels: int, size: int, animated: bool = False) -> int:
    """Bytes that decoding a picture of ``pixels`` and ``size`` bytes on disk holds at its peak."""
    return round((_PER_PIXEL_ANIMATED if animated else _PER_PIXEL[form]) * pixels) + _PER_BYTE * size


def jpeg_reduction(width: int, height: int, coefficients: int, size: int, settings: Settings) -> int:
    """By how much a JPEG must be reduced while it is decoded: 1, 2, 4 or 8. ``coefficients``: those kept to
    the end, 0 for one pass. Raises OverMemory when no reduction is enough."""
    for step in (1, 2, 4, 8):
        coefficients_bytes = _PER_COEFFICIENT * coefficients
        needed = memory_bytes("jpeg", width * height // step**2, size) + coefficients_bytes
        if needed <= settings.max_memory_bytes:
            return step
    raise _too_much(f"Decoding this JPEG of {width} x {height} pixels", needed, settings)


def _too_much(what: str, needed: int, settings: Settings) -> OverMemory:
    return OverMemory(
        f"{what} would take about {needed // 1024**2:,} MB of memory, over the limit of "
        f"{settings.max_memory_bytes // 1024**2:,} MB: reduce it to half its size with another program, "
        "or raise HAECHI_MAX_MEMORY_BYTES."
    )
