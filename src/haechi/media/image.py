"""Bytes of a photograph -> one upright RGB picture of 8 bits, with the facts of its container."""

from __future__ import annotations

import io
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from haechi.errors import DamagedFile, InputError, OverLimit, UnknownFormat
from haechi.media.clock import Clock
from haechi.media.exif import Exif, read_exif, tiff_pages
from haechi.media.jpeg import JpegHeader, read_header
from haechi.media.opencv import opencv
from haechi.media.structure import animation, cut_off, gif_facts, iso_boxes, png_facts, riff_check, webp_size
from haechi.settings import Settings
from haechi.types import U8, Fact

_NAMES = {
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WebP",
    "avif": "AVIF",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
}
_DEPTHS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
_BAND_ROWS = 256
# Exif orientation -> degrees clockwise to turn, after mirroring left to right where said (Exif 2.32, 4.6.4).
_TURNS = {1: (0, False), 2: (0, True), 3: (180, False), 4: (180, True)} | {
    5: (270, True), 6: (90, False), 7: (90, True), 8: (270, False)
}  # fmt: skip


def decode_image(data: bytes, form: str, settings: Settings) -> tuple[U8, dict[str, Fact]]:
    """rgb u8 (H, W, 3), upright, and facts. ``form`` is a picture format of ``sniff``.

    The size is checked before pixels are decoded. Raises DamagedFile, OverLimit, UnknownFormat."""
    facts: dict[str, Fact] = {"format": form}
    clock = Clock(settings.decode_timeout_s, "save the picture anew with another program")
    if form == "jpeg":
        return _jpeg(data, facts, settings)
    if form == "png":
        facts |= png_facts(data, clock)
    elif form == "gif":
        facts |= gif_facts(data, clock) | {"bit_depth": 8}
    elif form == "webp":
        riff_check(data, len(data), "WebP")
        facts["bit_depth"] = 8
        # Pillow's reader sets aside room for the whole canvas before it tells its size.
        if size := webp_size(data):
            check_pixels(*size, settings)
    elif form == "avif":
        iso_boxes(io.BytesIO(data), len(data), "AVIF")
    elif form == "tiff":
        if read_exif(data).raw_preview:
            raise UnknownFormat(
                "This is a camera's raw picture or holds only a preview: export it as JPEG or TIFF first."
            )
        if (pages := tiff_pages(data)) > 1:
            facts["frames"] = pages
    rgb, exif = _pillow(data, form, settings, facts)
    return _finish(rgb, exif, facts, turned=form == "tiff")


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


def _jpeg(data: bytes, facts: dict[str, Fact], settings: Settings) -> tuple[U8, dict[str, Fact]]:
    header = read_header(data)
    check_pixels(header.width_px, header.height_px, settings)
    facts["bit_depth"] = header.bit_depth
    facts["jpeg_subsampling"] = header.subsampling
    if header.quality is not None:
        facts["jpeg_quality"] = header.quality
    if header.decoding_s > settings.decode_timeout_s:
        raise OverLimit(
            f"Decoding this JPEG's {header.scans} passes over {header.width_px} x {header.height_px} pixels "
            f"would take about {header.decoding_s:.0f} s, over the limit of {settings.decode_timeout_s:g} s: "
            "save it anew with another program, or raise HAECHI_DECODE_TIMEOUT_S."
        )
    # Not OpenCV, which is no faster and writes what it thinks of a damaged file to the terminal.
    rgb, _ = _pillow(header.core, "jpeg", settings, facts)
    if _made_up_end(rgb, header, settings):
        raise cut_off("JPEG")
    return _finish(rgb, read_exif(header.exif) if header.exif else None, facts)


def _made_up_end(rgb: U8, header: JpegHeader, settings: Settings) -> bool:
    """Whether the decoder ran out of bytes before the picture ended, although there is an end marker.

    Where a baseline JPEG misses bytes the decoder leaves the middle grey, down to the last corner: no other
    corner needs the second decoding. Every scan of a progressive one reaches over the whole picture, and
    the four colours of print have no single grey."""
    if not header.huffman:
        return False
    if not (header.progressive or header.components == 4 or bool((rgb[-1, -1] == 128).all())):
        return False
    try:
        other, _ = _pillow(header.prolonged(), "jpeg", settings, {})
    except DamagedFile:
        return False
    return not np.array_equal(rgb, other)


def _finish(
    rgb: U8, exif: Exif | None, facts: dict[str, Fact], turned: bool = False
) -> tuple[U8, dict[str, Fact]]:
    """Turns the picture upright (unless the decoder did) and notes the facts of its metadata."""
    facts["has_exif"] = exif is not None and (exif.has_details or facts["format"] != "tiff")
    exif = exif or Exif()
    for key, value in (("camera_make", exif.make), ("camera_model", exif.model), ("software", exif.software)):
        if value:
            facts[key] = value
    degrees, mirrored = _TURNS[exif.orientation]
    facts["rotation_deg"] = degrees
    if mirrored:
        facts["mirrored"] = True
    return (rgb if turned else upright(rgb, degrees, mirrored)), facts


def upright(rgb: U8, degrees: int, mirrored: bool) -> U8:
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


def _plugin(form: str) -> Any:
    """Pillow's reader of exactly this format. Image.open would try others too, and hold to its own limit."""
    stem = {
        "jpeg": "Jpeg",
        "png": "Png",
        "gif": "Gif",
        "webp": "WebP",
        "avif": "Avif",
        "bmp": "Bmp",
        "tiff": "Tiff",
    }
    return getattr(import_module(f"PIL.{stem[form]}ImagePlugin"), f"{stem[form]}ImageFile")


def _pillow(data: bytes, form: str, settings: Settings, facts: dict[str, Fact]) -> tuple[U8, Exif | None]:
    """rgb u8 (H, W, 3) as stored, and its Exif facts; may add to ``facts``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _plugin(form)(io.BytesIO(data)) as image:
                check_pixels(image.size[0], image.size[1], settings)
                if form in ("webp", "avif"):
                    facts |= animation(int(image.n_frames))
                if form in ("bmp", "tiff"):
                    facts["bit_depth"] = _depth(image)
                raw = data if form == "tiff" else None
                image.load()
                if raw is None:
                    raw = image.info.get("exif")
                return _to_rgb(image), read_exif(raw) if isinstance(raw, bytes) and raw else None
    except InputError:
        raise
    except MemoryError as error:
        raise OverLimit("The picture needs more memory than there is: reduce it and try again.") from error
    except Exception as error:
        # Pillow lets whatever a broken file provokes escape (SyntaxError, struct.error, KeyError, ...):
        # at this border all of it means that the picture cannot be decoded.
        if "truncated" in str(error):
            raise cut_off(_NAMES[form]) from error
        raise DamagedFile(
            f"The {_NAMES[form]} cannot be decoded{_why(error)}: get the file again, or the original."
        ) from error


def _why(error: Exception) -> str:
    """The decoder's own words, when they are words for a person."""
    text = " ".join(str(error).split())
    return (
        f" ({text[:80]})"
        if text and "<" not in text and "/" not in text and isinstance(error, OSError)
        else ""
    )


def _depth(image: Any) -> int:
    """Bits a channel: from the tags of a TIFF, else from Pillow's mode."""
    bits = getattr(image, "tag_v2", {}).get(258)
    return int(bits[0]) if isinstance(bits, tuple) and bits else _DEPTHS.get(image.mode, 8)


def _to_rgb(image: Any) -> U8:
    """u8 (H, W, 3) from any of Pillow's modes.

    What is transparent is laid on white, as pages show it: the colours hidden under full transparency
    are leftovers that nobody sees."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        grey = _to_eight_bits(
            np.asarray(image), whole=image.mode != "F", sixteen=image.mode.startswith("I;16")
        )
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode == "LAB":
        raise UnknownFormat("The picture is in the LAB colour space, which is not read here: save it as RGB.")
    if image.mode in ("La", "LA", "PA", "RGBA", "RGBa") or image.has_transparency_data:
        layered = image.convert("RGBA")
        flat = Image.new("RGB", image.size, (255, 255, 255))
        flat.paste(layered, mask=layered.getchannel("A"))
        return _array(flat)
    return _array(image if image.mode == "RGB" else image.convert("RGB"))


def _array(image: Any) -> U8:
    """Pillow's RGB picture as an array. A band at a time stays in the processor's cache: a third of the
    time of np.array(image), and none of its two copies on the way."""
    width, height = image.size
    rgb = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _BAND_ROWS):
        bottom = min(height, top + _BAND_ROWS)
        rgb[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return rgb


def _to_eight_bits(values: np.ndarray[Any, np.dtype[Any]], whole: bool, sixteen: bool) -> U8:
    """Grey (H, W) of 16 bits, 32 bits or floating point -> u8 (H, W).

    16 bits are scaled by their full range. 32 bits and floats have no agreed range: 0 to 1 (floats),
    0 to 255 and 0 to 65535 are recognised, anything else is stretched from its least to its greatest."""
    grey = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    if sixteen:
        low, high = 0.0, 65535.0
    elif low >= 0 and (top := next((t for t in (1.0, 255.0, 65535.0)[whole:] if high <= t), None)):
        low, high = 0.0, top
    scale = 255.0 / (high - low) if high > low else 0.0
    scaled: U8 = np.clip(np.rint((grey - low) * scale), 0, 255).astype(np.uint8)
    return scaled
