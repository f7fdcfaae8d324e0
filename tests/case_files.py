"""Files of the kinds that people really have, made from the portrait of the samples and from patterns."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

PORTRAIT = Path(__file__).parent.parent / "samples" / "astronaut.jpg"
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg makes the videos")


@cache
def scene() -> Image.Image:
    """640 x 360: the portrait on a ground that is not symmetric."""
    face = Image.open(PORTRAIT).convert("RGB")
    face = face.resize((360 * face.width // face.height, 360))
    ground = Image.linear_gradient("L").rotate(90).resize((640, 360)).convert("RGB")
    ground.paste(face, (90, 0))
    return ground


def bars(width: int = 640, height: int = 360, step: int = 0) -> Image.Image:
    """Coloured upright bars that drift with ``step``."""
    colours = [
        (192, 192, 192),
        (192, 192, 0),
        (0, 192, 192),
        (0, 192, 0),
        (192, 0, 192),
        (192, 0, 0),
        (0, 0, 192),
    ]
    x = (np.arange(width) + 4 * step) * 7 // width % 7
    return Image.fromarray(np.broadcast_to(np.array(colours, np.uint8)[x], (height, width, 3)).copy())


def film(path: Path, frames: list[Image.Image], *options: str, fps: int = 25) -> Path:
    """A video of these frames, coded by ffmpeg as the options say."""
    width, height = frames[0].size
    head = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    head += ["-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    raw = b"".join(np.asarray(frame.convert("RGB")).tobytes() for frame in frames)
    done = subprocess.run([*head, *options, str(path)], input=raw, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this ffmpeg cannot make it: {done.stderr.decode()[-200:]}")
    return path


def portrait_film(path: Path, *options: str, frames: int = 12) -> Path:
    return film(
        path,
        [scene().transform((640, 360), Image.Transform.AFFINE, (1, 0, i, 0, 1, 0)) for i in range(frames)],
        *options,
    )


def planet(size: int = 900) -> Image.Image:
    """A banded ball on black."""
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    lit = np.sqrt(np.clip(1 - (x**2 / 0.45**2 + y**2 / 0.43**2), 0, 1))
    bands = 0.82 + 0.12 * np.sin(36 * y + 0.9 * np.sin(5 * x)) + 0.06 * np.sin(71 * y + 2 * x)
    shade = np.clip(bands * (0.6 + 0.4 * lit), 0, 1) * (lit > 0)
    grain = np.random.default_rng(3).normal(0, 2.0, (size, size, 1)) * (lit > 0)[..., None]
    rgb = shade[..., None] * np.array([240, 208, 160]) + grain
    return Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def pixels(image: Image.Image) -> NDArray[np.int64]:
    return np.asarray(image.convert("RGB")).astype(np.int64)


def second_picture(first: bytes, second: bytes) -> bytes:
    """An MPO: two JPEGs, and the index of them in the first (CIPA DC-007)."""
    size, offset = 0, 0
    for _ in range(2):
        entries = struct.pack("<IIIHHIIIHH", 0x20030000, size, 0, 0, 0, 0x20000, len(second), offset, 0, 0)
        tags = struct.pack("<H", 3) + struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
        tags += struct.pack("<HHII", 0xB001, 4, 1, 2) + struct.pack("<HHII", 0xB002, 7, 32, 50) + bytes(4)
        body = b"MPF\0II*\0\x08\0\0\0" + tags + entries
        segment = b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
        head = first[:2] + segment + first[2:]
        size, offset = len(head), len(head) - (2 + 4 + 4)
    return head + second


def motion_photo(picture: bytes, video: bytes) -> bytes:
    """A JPEG with a video behind it, as phones write them: its length stands in XMP."""
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:G="http://ns.google.com/photos/1.0/camera/" G:MotionPhoto="1" '
        f'G:MicroVideo="1" G:MicroVideoVersion="1" G:MicroVideoOffset="{len(video)}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    body = b"http://ns.adobe.com/xap/1.0/\0" + packet
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return picture[:2] + segment + picture[2:] + video
