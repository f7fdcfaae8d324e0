"""Small pictures made by code: drawn, encoded, turned, and PNGs of which every field can be bent."""

from __future__ import annotations

import io
import struct
import zlib
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tinyvideo import picture


def encoded(rgb: NDArray[Any] | Image.Image, form: str, **options: Any) -> bytes:
    """The bytes of a picture in one of Pillow's formats."""
    out = io.BytesIO()
    (rgb if isinstance(rgb, Image.Image) else Image.fromarray(rgb)).save(out, form, **options)
    return out.getvalue()


def cartoon(width: int = 320, height: int = 320, faces: int = 1) -> NDArray[np.uint8]:
    """Drawn faces in a grid on a plain ground: RGB u8 (height, width, 3)."""
    image = Image.new("RGB", (width, height), (120, 170, 200))
    draw = ImageDraw.Draw(image)
    columns = int(np.ceil(np.sqrt(faces)))
    side = min(width, height) // columns
    for i in range(faces):
        x, y, r = (i % columns) * side + side // 2, (i // columns) * side + side // 2, side * 0.4
        draw.ellipse((x - r * 0.8, y - r, x + r * 0.8, y + r), fill=(235, 200, 170), outline=(60, 40, 30))
        for eye in (-0.3, 0.3):
            draw.ellipse(
                (x + (eye - 0.1) * r, y - 0.3 * r, x + (eye + 0.1) * r, y - 0.1 * r), fill=(30, 30, 60)
            )
        draw.line(
            (x, y - 0.1 * r, x - 0.08 * r, y + 0.2 * r, x + 0.06 * r, y + 0.2 * r),
            fill=(120, 80, 60),
            width=2,
        )
        draw.arc((x - 0.35 * r, y + 0.1 * r, x + 0.35 * r, y + 0.6 * r), 20, 160, fill=(160, 40, 50), width=3)
    return np.array(image)


def png(width: int, height: int, depth: int, body: bytes, extra: bytes = b"") -> bytes:
    """A grey PNG with any header and any compressed body, right checksums and all."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def zeros(size: int) -> bytes:
    """``size`` zero bytes compressed, never held at once."""
    press = zlib.compressobj(9)
    return (
        b"".join(press.compress(bytes(min(1 << 20, size - at))) for at in range(0, size, 1 << 20))
        + press.flush()
    )


def animation(form: str = "GIF") -> bytes:
    """A picture of five frames that moves."""
    frames = [Image.fromarray(picture(48, 32, step)) for step in range(5)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)


def oriented(data: NDArray[np.uint8], orientation: int, form: str = "JPEG") -> bytes:
    """A picture whose Exif says how it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0131] = "Acme\x1b[31m\nCameras", "Retouch 7"
    return encoded(data, form, exif=exif.tobytes())


def jpeg_xl(rgb: NDArray[np.uint8], **options: Any) -> bytes:
    """A JPEG XL picture; only where its decoder is installed."""
    import pylibjxl

    return bytes(pylibjxl.encode(np.ascontiguousarray(rgb), **options))


def pictures() -> dict[str, bytes]:
    """One small sound picture of every format that is read, by the ending of its name."""
    rgb = picture(64, 48)
    rgb = np.clip(rgb + np.random.default_rng(1).integers(-8, 8, rgb.shape), 0, 255).astype(np.uint8)
    jxl = {"jxl": jpeg_xl(rgb)} if find_spec("pylibjxl") else {}
    return jxl | {
        "jpg": encoded(rgb, "JPEG", quality=90),
        "png": encoded(rgb, "PNG"),
        "webp": encoded(rgb, "WEBP"),
        "avif": encoded(rgb, "AVIF"),
        "gif": encoded(rgb, "GIF"),
        "bmp": encoded(rgb, "BMP"),
        "tif": encoded(rgb, "TIFF", compression="tiff_lzw"),
    }
