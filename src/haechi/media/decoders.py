"""Which decoder reads which picture format: Pillow's own, libheif for HEIC, libjxl for JPEG XL."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import Any

from haechi.errors import DamagedFile, InputError, OverLimit
from haechi.media.damage import cut_off
from haechi.media.stderr import without_stderr

NAMES = {
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WebP",
    "avif": "AVIF",
    "heic": "HEIC",
    "jxl": "JPEG XL",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
}
#: Formats whose decoders turn the picture upright themselves, whatever its Exif says.
TURNED = frozenset({"tiff", "heic", "jxl"})
_STEMS = {
    "jpeg": "Jpeg", "png": "Png", "gif": "Gif", "webp": "WebP", "avif": "Avif", "bmp": "Bmp", "tiff": "Tiff",
}  # fmt: skip


@contextmanager
def open_picture(data: bytes, form: str) -> Iterator[Any]:
    """The picture as one of Pillow's, its pixels not decoded yet (``load``). Raises as
    ``decoder_errors`` does."""
    with decoder_errors(form), decoder_class(form)(io.BytesIO(data)) as image:
        yield image


@contextmanager
def decoder_errors(form: str) -> Iterator[None]:
    """Within it, whatever a broken file provokes in a decoder is raised as DamagedFile or OverLimit."""
    try:
        # libtiff tells of damage on the terminal, past Python.
        with warnings.catch_warnings(), without_stderr() if form == "tiff" else nullcontext():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except MemoryError as error:
        raise OverLimit("The picture needs more memory than there is: reduce it and try again.") from error
    except Exception as error:
        # Pillow lets whatever a broken file provokes escape (SyntaxError, struct.error, KeyError, ...):
        # at this border all of it means that the picture cannot be decoded.
        if any(word in str(error).lower() for word in ("truncated", "end of file", "end-of-file")):
            raise cut_off(NAMES[form]) from error
        raise DamagedFile(
            f"The {NAMES[form]} cannot be decoded{_why(error)}: get the file again, or the original."
        ) from error


def decoder_class(form: str) -> Any:
    """The class that reads exactly this format from a file. Image.open would try other formats too, and hold
    to limits of its own."""
    if form == "heic":
        from haechi.media.heif import HeicFile

        return HeicFile
    if form == "jxl":
        from haechi.media.jxl import JxlFile

        return JxlFile
    return getattr(import_module(f"PIL.{_STEMS[form]}ImagePlugin"), f"{_STEMS[form]}ImageFile")


def _why(error: Exception) -> str:
    """The decoder's own words, when they are words for a person."""
    text = " ".join(str(error).split())
    return (
        f" ({text[:80]})"
        if text and "<" not in text and "/" not in text and isinstance(error, OSError)
        else ""
    )
