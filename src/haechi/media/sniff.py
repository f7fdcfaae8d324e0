"""What a file is, from its first bytes. Its name is never asked."""

from __future__ import annotations

from codecs import getincrementaldecoder
from dataclasses import dataclass

from haechi.errors import DamagedFile, UnknownFormat
from haechi.media.containers.boxes import brands
from haechi.types import MediaKind

HEAD_BYTES = 4096
READABLE = "JPEG, PNG, WebP, AVIF, HEIC, JPEG XL, GIF, BMP, TIFF, MP4, MOV, WebM, MKV, AVI or MPEG"
RAW = (
    "This is a camera's raw picture (such as CR2, CR3, NEF, ARW, DNG, RAF, RW2), or holds only a preview: "
    "export it as JPEG or TIFF first, or give the JPEG that the camera saved beside it."
)

#: Formats of pictures, whether they move or not.
PICTURES = frozenset({"jpeg", "png", "webp", "avif", "heic", "jxl", "gif", "bmp", "tiff"})
ANIMATED = frozenset({"png", "webp", "avif", "gif"})


@dataclass(frozen=True, slots=True)
class Sniffed:
    """kind: of a picture that moves it is "image" too, for its first bytes do not tell.
    format: jpeg png webp avif heic jxl gif bmp tiff mp4 mov webm mkv avi ts mpg."""

    format: str
    kind: MediaKind


_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
)

# Raw pictures of cameras that are not written as an ordinary TIFF; those that are, are told by their tags.
_RAWS = (
    b"FUJIFILMCCD-RAW", b"IIU\x00", b"IIRO", b"IIRS", b"MMOR", b"\x00MRM", b"FOVb",
    b"II\x1a\x00\x00\x00HEAPCCDR",
)  # fmt: skip

# Things people hand over by mistake, so that the message can name them.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"ID3", "an MP3 sound file"),
    (b"\xff\xfb", "an MP3 sound file"),
    (b"fLaC", "a FLAC sound file"),
    (b"OggS", "an Ogg file"),
    (b"FLV\x01", "a Flash video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"SQLite format 3\x00", "a database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
)

_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P "})
_MOV_FIRST_BOXES = frozenset({b"moov", b"mdat", b"wide", b"pnot"})


def sniff(head: bytes) -> Sniffed:
    """The format of a file that begins with ``head`` (its first HEAD_BYTES or all of it).

    Raises DamagedFile when it is empty or only zeros, UnknownFormat when it is something else."""
    if not head:
        raise DamagedFile("The file is empty (0 bytes): get the file again from where it came.")
    if head.startswith(_RAWS) or _tiff_raw(head):
        raise UnknownFormat(RAW)
    for magic, name in _PICTURES:
        if head.startswith(magic):
            return Sniffed(name, "image")
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return Sniffed("bmp", "image")
    if head[:4] == b"RIFF":
        return _riff(head)
    if head[4:8] == b"ftyp":
        return _iso(head)
    video = _video(head)
    if video:
        return Sniffed(video, "video")
    if not any(head):
        raise DamagedFile(
            "The file begins with nothing but zeros, as an unfinished download does: get it again."
        )
    raise UnknownFormat(f"This is {_other(head)}, not a picture or video that is read here: give {READABLE}.")


def _tiff_raw(head: bytes) -> bool:
    """Whether a TIFF says at once that it is a raw picture: Canon's CR2 by its mark."""
    return head[:4] in (b"II*\x00", b"MM\x00*") and head[8:10] == b"CR"


def _video(head: bytes) -> str | None:
    """The container of a video that its first bytes tell at once."""
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[4:8] in _MOV_FIRST_BOXES:
        return "mov"
    if head[:4] == b"\x00\x00\x01\xba":
        return "mpg"
    return "ts" if _is_transport_stream(head) else None


def _is_transport_stream(head: bytes) -> bool:
    """Packets of 188 bytes that begin with 0x47 (ISO/IEC 13818-1), in .m2ts and .mts with four bytes of time
    before each."""
    return any(
        len(head) > start + 2 * step and all(head[start + n * step] == 0x47 for n in range(3))
        for start, step in ((0, 188), (4, 192))
    )


def _riff(head: bytes) -> Sniffed:
    form = head[8:12]
    if form == b"WEBP":
        return Sniffed("webp", "image")
    if form == b"AVI ":
        return Sniffed("avi", "video")
    what = "a WAV sound file" if form == b"WAVE" else "a RIFF file of another kind"
    raise UnknownFormat(f"This is {what}, not a picture or video that is read here: give {READABLE}.")


def _iso(head: bytes) -> Sniffed:
    """ISO base media (ISO/IEC 14496-12): the brands tell video from picture."""
    major, others = brands(head)
    if major in _AVIF_BRANDS or (major in (b"mif1", b"msf1") and others & _AVIF_BRANDS):
        return Sniffed("avif", "image")
    if major in _HEIC_BRANDS or major in (b"mif1", b"msf1"):
        return Sniffed("heic", "image")
    if major == b"crx ":
        raise UnknownFormat(RAW)
    if major in _AUDIO_BRANDS:
        raise UnknownFormat(
            "This is an MPEG-4 sound file without pictures: give the video that it came from."
        )
    return Sniffed("mov" if major == b"qt  " else "mp4", "video")


def _other(head: bytes) -> str:
    """Names content that is not read here, with its article."""
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return name
    if head[:2] == b"PK" and head[2:4] in (b"\x03\x04", b"\x05\x06"):
        return (
            "a password-protected zip archive"
            if head[6:7] and head[6] & 1
            else "a zip archive or Office document"
        )
    return _text(head) or "data of an unknown kind"


def _text(head: bytes) -> str | None:
    """Names plain text; None when it is not text."""
    try:
        # A character may be cut in two at the end of the head.
        text = getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return None
    if any(ord(c) < 32 and c not in "\t\n\r\f\x1b" for c in text):
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith("<svg") or (start.startswith("<?xml") and "<svg" in start):
        return "an SVG drawing"
    kinds = {"<!doctype html": "a web page", "<html": "a web page", "#extm3u": "a playlist"}
    return next((name for prefix, name in kinds.items() if start.startswith(prefix)), "text")
