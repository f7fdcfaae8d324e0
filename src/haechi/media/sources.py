"""Whatever a caller has a picture or a video as -> Media, and the file behind it where there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from haechi.errors import DamagedFile, OverLimit, UsageError
from haechi.media import open_media
from haechi.media.array import array_media, pillow_media
from haechi.media.original import Original
from haechi.settings import Settings
from haechi.types import Media

if TYPE_CHECKING:
    from typing import BinaryIO

    from PIL.Image import Image

    #: A path; the bytes of a file; a binary file object; a picture of Pillow's; RGB pixels u8 (H, W, 3).
    Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Image | np.ndarray[Any, Any]

_CHUNK = 4 * 1024**2


def open_source(source: Source, settings: Settings) -> tuple[Original | None, Media]:
    """The file, as it was before it was opened, by which claims know it again, None for pixels; and what is
    to be judged.

    Raises InputError when it cannot be read, UsageError when it is none of these things. A file object is
    read from its start where it can seek, and left where it then stands."""
    if isinstance(source, str | os.PathLike | bytes | bytearray | memoryview):
        return Original.of(source), open_media(source, settings)
    if isinstance(source, np.ndarray):
        return None, array_media(source, settings)
    if callable(getattr(source, "read", None)):
        data = _content(source, settings)
        return Original.of(data), open_media(data, settings)
    from PIL import Image

    if isinstance(source, Image.Image):
        return None, pillow_media(source, settings)
    raise UsageError(
        f"A {type(source).__name__} cannot be checked: give a path, the bytes of a file, a file opened in "
        "binary mode, a Pillow image, or RGB pixels as a uint8 array of shape (height, width, 3)."
    )


def _content(file: Any, settings: Settings) -> bytes:
    """All bytes of a file object, no more than the settings allow. Raises UsageError for one of text."""
    parts, size = [], 0
    try:
        if file.seekable():
            file.seek(0)
        # What does not come from a disk may give less than it was asked for, and still have more.
        while part := file.read(_CHUNK):
            if not isinstance(part, bytes | bytearray | memoryview):
                raise UsageError(
                    "The file is opened as text: open it in binary mode, as in open(path, 'rb')."
                )
            size += len(part)
            if size > settings.max_bytes:
                raise OverLimit(
                    f"The file has more than {settings.max_bytes:,} bytes, the limit: cut or reduce it, or "
                    "raise HAECHI_MAX_BYTES."
                )
            parts.append(part)
    except (OSError, ValueError) as error:
        raise DamagedFile(
            "The file object cannot be read: it may be closed, or not be opened for reading."
        ) from error
    return b"".join(parts)
