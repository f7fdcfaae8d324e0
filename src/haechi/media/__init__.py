"""A path or bytes -> Media: sniffed, held to the limits, decoded, with the facts of its container.

Facts in ``Media.container`` (each only where known): format (jpeg png webp avif heic jxl gif bmp tiff mp4 mov
webm mkv avi ts mpg) · rotation_deg (clockwise, as applied) · mirrored · pictures: bit_depth, has_exif,
jpeg_quality (1 to 100), jpeg_subsampling, software, camera_make, camera_model, animated (GIF, WebP, AVIF, PNG
that move: then the kind is "video"), frames (several: of an animation, the pages of a TIFF, the pictures of
a HEIC; of the latter two one is decoded), attached_video, attached_video_s (a motion photo's, not decoded),
further_pictures (behind the first, not decoded), colour_profile (its name), colour_converted (to sRGB),
colour_profile_broken (left aside), reduced_by (2, 4 or 8: a giant was decoded at a part of its size),
gain_map, depth_map · videos: codec,
frames, truncated (at most half of the frames that the header promises are there).
Never a place, a time or a path.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path

from haechi.errors import DamagedFile, HaechiError, NotAFile, OverLimit
from haechi.media.animation import open_animation
from haechi.media.array import Still
from haechi.media.image import decode_image
from haechi.media.limits import check_file
from haechi.media.picture_structure import structure_facts
from haechi.media.sniff import ANIMATED, HEAD_BYTES, sniff
from haechi.media.video import VideoReader
from haechi.settings import Settings
from haechi.types import Media

__all__ = ["display_name", "open_media"]

BYTES_NAME = "<bytes>"
_KINDS = (
    (stat.S_ISDIR, "a folder", "give a file, or the files in it"),
    (stat.S_ISFIFO, "a pipe", "write its content to a file and give that"),
    (stat.S_ISSOCK, "a socket", "give a file"),
    (stat.S_ISCHR, "a device", "give a file"),
    (stat.S_ISBLK, "a device", "give a file"),
)


def open_media(source: str | os.PathLike[str] | bytes, settings: Settings) -> Media:
    """Opens a photograph or video. Pictures are decoded now, videos when ``frames`` is called (one frame
    is decoded now, to know that there is one).

    Raises NotAFile, UnknownFormat, DamagedFile or OverLimit, each with one line that names cause and cure
    but no path. ``frames`` of a video may raise DamagedFile or OverLimit on the way."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        _check_size(len(data), settings)
        return _from_bytes(data, settings)
    path = Path(source)
    with _open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_size(size, settings)
        try:
            sniffed = sniff(file.read(HEAD_BYTES))
            file.seek(0)
            if sniffed.kind == "image":
                check_file(size, settings)
                # One byte more than was announced shows a file that grows while it is read.
                data = file.read(size + 1)
                _check_size(len(data), settings)
                return _image(display_name(path), data, sniffed.format, settings)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DamagedFile(
                f"The file cannot be read to its end ({_strerror(error)}): copy it anew."
            ) from error
    return _video(display_name(path), digest, VideoReader(path, sniffed.format, settings))


def display_name(source: str | os.PathLike[str] | bytes) -> str:
    """The base name for people to read: one line, printable, valid Unicode; ``<bytes>`` for bytes."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return BYTES_NAME
    name = os.fsencode(Path(source).name).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\ufffd" for c in name) or "."


def _from_bytes(data: bytes, settings: Settings) -> Media:
    sniffed = sniff(data[:HEAD_BYTES])
    if sniffed.kind == "image":
        return _image(BYTES_NAME, data, sniffed.format, settings)
    digest = hashlib.sha256(data).hexdigest()
    try:
        return _video(BYTES_NAME, digest, VideoReader(None, sniffed.format, settings, data))
    except OSError as error:
        raise HaechiError(
            f"The video cannot be written to the temporary folder ({_strerror(error)}): free some room, "
            "or point TMPDIR to another folder."
        ) from error


def _image(name: str, data: bytes, form: str, settings: Settings) -> Media:
    digest = hashlib.sha256(data).hexdigest()
    facts = structure_facts(data, form, settings)
    animation = open_animation(data, form, settings, facts) if form in ANIMATED else None
    if animation is not None:
        return Media(
            name=name,
            sha256=digest,
            kind="video",
            width_px=animation.width_px,
            height_px=animation.height_px,
            fps=animation.fps,
            duration_s=animation.duration_s,
            container=animation.facts,
            reader=animation,
        )
    rgb, facts = decode_image(data, form, settings, facts)
    return Media(
        name=name,
        sha256=digest,
        kind="image",
        width_px=rgb.shape[1],
        height_px=rgb.shape[0],
        fps=None,
        duration_s=None,
        container=facts,
        reader=Still(rgb),
    )


def _video(name: str, digest: str, reader: VideoReader) -> Media:
    facts = reader.facts
    return Media(
        name=name,
        sha256=digest,
        kind="video",
        width_px=facts.width_px,
        height_px=facts.height_px,
        fps=facts.fps,
        duration_s=facts.duration_s,
        container=facts.container,
        reader=reader,
    )


def _open_regular(path: Path) -> BufferedReader:
    """Opens a regular file. It is looked at before it is opened, because opening a pipe waits for ever."""
    try:
        mode = path.stat().st_mode
        for is_kind, what, cure in _KINDS:
            if is_kind(mode):
                raise NotAFile(f"This is {what}, not a file: {cure}.")
        return path.open("rb")
    except FileNotFoundError as error:
        address = "://" in os.fspath(path) or str(path).lower().startswith(("http:", "https:"))
        cure = (
            "save it from the web first, nothing is fetched here"
            if address
            else "check the name and the folder"
        )
        raise NotAFile(f"There is no such file: {cure}.") from error
    except PermissionError as error:
        raise NotAFile(
            "There is no permission to read this file: change its permissions or copy it."
        ) from error
    except (OSError, ValueError) as error:
        # ValueError: a name with a zero byte.
        raise NotAFile(f"The file cannot be opened ({_strerror(error)}): check its name.") from error


def _strerror(error: OSError | ValueError) -> str:
    """The system's words without the path that str(error) would add."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno) if error.errno in errno.errorcode else "input/output error"
    return "a name that no file can have" if isinstance(error, ValueError) else "input/output error"


def _check_size(size: int, settings: Settings) -> None:
    if size > settings.max_bytes:
        raise OverLimit(
            f"The file has {size:,} bytes, over the limit of {settings.max_bytes:,}: "
            "cut or reduce it, or raise HAECHI_MAX_BYTES."
        )
