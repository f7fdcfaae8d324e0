"""Bytes of a photograph -> one upright RGB picture of 8 bits, with the facts of its container."""

from __future__ import annotations

from typing import Any

from haechi.errors import DamagedFile, OverLimit
from haechi.media.attachments import attachment_facts
from haechi.media.colour import ColourTransform, colour_transform
from haechi.media.damage import cut_off
from haechi.media.decoders import TURNED, open_picture
from haechi.media.exif import Exif, read_exif
from haechi.media.heif import holds_gap
from haechi.media.jpeg_header import JpegHeader, read_header
from haechi.media.limits import check_memory, check_pixels, jpeg_reduction
from haechi.media.pixels import differ, orient, to_rgb
from haechi.settings import Settings
from haechi.types import U8, Fact

# Major brands of HEIC files that hold pictures in time (ISO/IEC 23008-12).
_SEQUENCES = (b"hevc", b"hevx", b"msf1")
# Tags of a TIFF, and the value of the first for JPEG (TIFF 6.0 and its technical note 2).
_COMPRESSION, _AS_JPEG, _JPEG_TABLES = 259, 7, 347
_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES = 273, 279, 324, 325
_DEPTHS = {"1": 1, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 32, "F": 32}
# Exif orientation -> degrees clockwise to turn, after mirroring left to right where said (Exif 2.32, 4.6.4).
_TURNS = {1: (0, False), 2: (0, True), 3: (180, False), 4: (180, True)} | {
    5: (270, True), 6: (90, False), 7: (90, True), 8: (270, False)
}  # fmt: skip


def decode_image(
    data: bytes, form: str, settings: Settings, facts: dict[str, Fact]
) -> tuple[U8, dict[str, Fact]]:
    """rgb u8 (H, W, 3), upright, and facts. ``form`` is a picture format of ``sniff``, ``facts`` those of
    ``picture_structure``.

    The size is checked before pixels are decoded. Raises DamagedFile, OverLimit, UnknownFormat."""
    if form == "jpeg":
        return _jpeg(data, facts, settings)
    with open_picture(data, form) as image:
        width, height = image.size
        check_pixels(width, height, settings)
        check_memory(form, width, height, len(data), settings)
        if form in ("bmp", "tiff"):
            facts["bit_depth"] = _depth(image)
            _check_strips(image, data)
        elif form in ("heic", "jxl"):
            facts |= image.facts
            if form == "heic":
                facts |= attachment_facts(data, 8)
                if data[8:12] in _SEQUENCES:
                    facts["animated"] = True
        raw = data if form == "tiff" else None
        pixels = _loaded(image)
        if form == "heic" and holds_gap(pixels):
            raise cut_off("HEIC")
        if raw is None:
            raw = image.info.get("exif")
        rgb = to_rgb(pixels, _colours(image.info.get("icc_profile"), pixels.mode, facts))
    return _finish(rgb, read_exif(raw) if isinstance(raw, bytes) and raw else None, facts)


def _loaded(image: Any) -> Any:
    """Pillow's own pictures load into themselves."""
    loaded = image.load()
    return loaded if hasattr(loaded, "mode") else image


def _colours(profile: object, mode: str, facts: dict[str, Fact]) -> ColourTransform | None:
    return colour_transform(profile, mode, facts) if isinstance(profile, bytes) and profile else None


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
    step = jpeg_reduction(header.width_px, header.height_px, header.held_coefficients, len(data), settings)
    if step > 1:
        facts["reduced_by"] = step
    if not header.covered or not (header.ended or header.huffman):
        raise cut_off("JPEG")
    rgb, colours, grey_end = _decoded(header, step, facts)
    # Where a baseline JPEG misses bytes the decoder leaves the middle grey, down to the last corner: with an
    # end marker, no other corner needs the second decoding. Every scan of a progressive one reaches over the
    # whole picture, and the four colours of print have no single grey.
    doubtful = header.progressive or header.components == 4 or grey_end or not header.ended
    if header.huffman and doubtful and _made_up_end(rgb, header, step, colours):
        raise cut_off("JPEG")
    facts |= attachment_facts(data, header.end, header.mpf)
    return _finish(rgb, read_exif(header.exif) if header.exif else None, facts)


def _decoded(
    header: JpegHeader, step: int, facts: dict[str, Fact]
) -> tuple[U8, ColourTransform | None, bool]:
    """The pixels, the way by which they came to sRGB, and whether they end in the middle grey."""
    # Not OpenCV, which is no faster and writes what it thinks of a damaged file to the terminal.
    with open_picture(header.core, "jpeg") as image:
        _reduce(image, step)
        image.load()
        colours = _colours(header.icc, image.mode, facts)
        grey_end = image.getpixel((image.width - 1, image.height - 1)) in (128, (128, 128, 128))
        return to_rgb(image, colours), colours, grey_end


def _check_strips(image: Any, data: bytes) -> None:
    """Raises DamagedFile when a part of a TIFF that is coded as JPEG ends early: libtiff only warns."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(_COMPRESSION) != _AS_JPEG:
        return
    tables = bytes(tags.get(_JPEG_TABLES, b""))[:-2]
    places = tags.get(_STRIPS) or tags.get(_TILES) or ()
    sizes = tags.get(_STRIP_SIZES) or tags.get(_TILE_SIZES) or ()
    for at, size in zip(places, sizes, strict=False):
        part = data[at : at + size]
        header = read_header(tables + part[2:] if tables else part)
        if not header.covered or not header.huffman:
            continue
        rgb, _, _ = _decoded(header, 1, {})
        if _made_up_end(rgb, header, 1, None):
            raise cut_off("TIFF")


def _reduce(image: Any, step: int) -> None:
    if step > 1:
        image.draft(image.mode, (-(-image.width // step), -(-image.height // step)))


def _made_up_end(rgb: U8, header: JpegHeader, step: int, colours: ColourTransform | None) -> bool:
    """Whether the decoder ran out of bytes before the picture ended, whatever marker stands there: then it
    shows another picture when there are more bytes."""
    try:
        with open_picture(header.prolonged(), "jpeg") as image:
            _reduce(image, step)
            image.load()
            return differ(rgb, image, colours)
    except DamagedFile:
        return False


def _finish(rgb: U8, exif: Exif | None, facts: dict[str, Fact]) -> tuple[U8, dict[str, Fact]]:
    """Turns the picture upright (unless the decoder did) and notes the facts of its metadata."""
    facts["has_exif"] = exif is not None and (exif.has_details or facts["format"] != "tiff")
    exif = exif or Exif()
    for key, value in (("camera_make", exif.make), ("camera_model", exif.model), ("software", exif.software)):
        if value:
            facts[key] = value
    form = facts["format"]
    if form in TURNED and form != "tiff":
        return rgb, facts
    degrees, mirrored = _TURNS[exif.orientation]
    facts["rotation_deg"] = degrees
    if mirrored:
        facts["mirrored"] = True
    return (rgb if form in TURNED else orient(rgb, degrees, mirrored)), facts


def _depth(image: Any) -> int:
    """Bits a channel: from the tags of a TIFF, else from Pillow's mode."""
    bits = getattr(image, "tag_v2", {}).get(258)
    return int(bits[0]) if isinstance(bits, tuple) and bits else _DEPTHS.get(image.mode, 8)
