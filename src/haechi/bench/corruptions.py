"""The degradation ladder: what happens to a picture between the camera and the person who worries about it.

Each rung is a pure function of (rgb u8 (H, W, 3), generator) -> u8 (h, w, 3). A rung never sees the label,
and ``degrade`` seeds it from the item and the rung alone: both classes are treated by the same law, and any
run repeats any other.

Video. ``mpeg4`` and ``vp9`` code the picture as a short moving clip at the rate that OpenCV's writer fixes
(about 35 and 37 dB on a 224-px portrait), ``av1_50`` and ``av1_30`` as one AV1 key frame (33 and 29 dB).
H.264 at a constant rate factor (``crf23`` to ``crf38``) needs the program ffmpeg: these must be asked for.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, features

from haechi.bench.h264 import crf
from haechi.errors import UsageError
from haechi.types import U8

Rung: TypeAlias = Callable[[U8, np.random.Generator], U8]

KERNELS: tuple[Image.Resampling, ...] = (
    Image.Resampling.NEAREST,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.HAMMING,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
_CLIP_FRAMES = 8
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def degrade(name: str, rgb: U8, item: str, seed: int = 0) -> U8:
    """Rung ``name`` on a picture, drawing from a generator seeded by (seed, name, item) only. ``item`` should
    name the picture and not its label. Raises UsageError on an unknown rung."""
    digest = hashlib.sha256(f"{seed}/{name}/{item}".encode()).digest()
    return rung(name)(rgb, np.random.default_rng(int.from_bytes(digest[:8], "big")))


def degraded_file(name: str, rgb: U8, item: str, seed: int = 0) -> bytes:
    """The file in which a user would get the degraded picture: that of the codec for ``jpegN``, ``webpN`` and
    ``av1_N``, whose traces in the container a checker may use, and lossless PNG for every other rung."""
    if name in CODED:
        return CODED[name](rgb)
    bgr = cv2.cvtColor(degrade(name, rgb, item, seed), cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def rung(name: str) -> Rung:
    """The function of that name, or UsageError with the names there are."""
    rungs = {**RUNGS, **H264}
    if name not in rungs:
        raise UsageError(f"no degradation is called {name!r}; there are: {', '.join(rungs)}")
    return rungs[name]


def jpeg(rgb: U8, quality: int) -> U8:
    """Through JPEG with 4:2:0 colour at a quality of 1 to 100."""
    return _decode(encode(rgb, "JPEG", quality))


def webp(rgb: U8, quality: int) -> U8:
    """Through lossy WebP."""
    return _decode(encode(rgb, "WEBP", quality))


def encode(rgb: U8, file_format: str, quality: int) -> bytes:
    """The bytes of a JPEG, WEBP or AVIF file. Raises UsageError when this Pillow has no such encoder."""
    # One thread, so that it repeats.
    options = {"speed": 8, "max_threads": 1} if file_format == "AVIF" else {}
    if file_format != "JPEG" and not features.check(file_format.lower()):
        raise UsageError(f"this Pillow was built without {file_format}; leave its rungs out with --rungs")
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, file_format, quality=quality, **options)
    return buffer.getvalue()


def resize(rgb: U8, factor: float, kernel: Image.Resampling) -> U8:
    """Both sides times ``factor``, at least one pixel each."""
    height, width = rgb.shape[:2]
    return resize_to(rgb, max(1, round(width * factor)), max(1, round(height * factor)), kernel)


def resize_to(rgb: U8, width: int, height: int, kernel: Image.Resampling = Image.Resampling.BICUBIC) -> U8:
    return np.array(Image.fromarray(rgb).resize((width, height), kernel), dtype=np.uint8)


def resize_and_back(rgb: U8, factor: float, rng: np.random.Generator) -> U8:
    """Down by ``factor`` and up again, each with a kernel drawn from the six of Pillow."""
    small = resize(rgb, factor, _kernel(rng))
    return resize_to(small, rgb.shape[1], rgb.shape[0], _kernel(rng))


def blur(rgb: U8, sigma_px: float) -> U8:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_px), dtype=np.uint8)


def noise(rgb: U8, deviation: float, rng: np.random.Generator) -> U8:
    """Gaussian noise, independent in each channel; ``deviation`` is a fraction of the full range."""
    return _clip(rgb + rng.normal(0.0, 255.0 * deviation, rgb.shape).astype(np.float32))


def contrast(rgb: U8, factor: float) -> U8:
    """Distance from the mean luma of the picture times ``factor``."""
    mean = float((rgb.astype(np.float32) @ _LUMA).mean())
    return _clip(mean + factor * (rgb.astype(np.float32) - mean))


def saturation(rgb: U8, factor: float) -> U8:
    """Distance of each pixel from its own luma times ``factor``."""
    values = rgb.astype(np.float32)
    luma = (values @ _LUMA)[..., None]
    return _clip(luma + factor * (values - luma))


def occlusion(rgb: U8, rng: np.random.Generator, blocks: int = 6) -> U8:
    """``blocks`` grey squares, each an eighth of the shorter side, at random places."""
    out = rgb.copy()
    height, width = rgb.shape[:2]
    side = max(1, min(height, width) // 8)
    for _ in range(blocks):
        y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        out[y : y + side, x : x + side] = 127
    return out


def double_jpeg(rgb: U8, rng: np.random.Generator) -> U8:
    """JPEG twice, with a crop of up to 7 pixels between, so that the two block grids do not coincide."""
    first = jpeg(rgb, int(rng.integers(60, 96)))
    dy, dx = (int(rng.integers(0, 8)) if side > 16 else 0 for side in rgb.shape[:2])
    return jpeg(np.ascontiguousarray(first[dy:, dx:]), int(rng.integers(50, 96)))


def screenshot(rgb: U8, rng: np.random.Generator) -> U8:
    """Shown at another size on a display with another gamma, captured, and saved as PNG or JPEG."""
    display = resize(rgb, float(rng.uniform(0.8, 1.25)), _smooth_kernel(rng))
    curve = 255.0 * (np.arange(256) / 255.0) ** float(rng.uniform(0.9, 1.1))
    out = np.asarray(_clip(curve.astype(np.float32))[display])
    return jpeg(out, int(rng.integers(85, 96))) if rng.random() < 0.5 else out


def clip(rgb: U8, fourcc: str) -> U8:
    """The picture as eight frames of a clip that moves one pixel a frame, and the last of them decoded,
    where it stands still again: so it was predicted from its neighbours, as most frames of a video are.
    Raises UsageError when this OpenCV has no such encoder."""
    height, width = rgb.shape[:2]
    # 16 px are the least that the encoders take, and their sides must be even.
    bottom, right = (max(16, side + side % 2) - side for side in (height, width))
    padded = cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
    with tempfile.TemporaryDirectory() as folder:
        name = str(Path(folder) / "clip.mkv")
        size = (padded.shape[1], padded.shape[0])
        writer = cv2.VideoWriter(name, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*fourcc), 30.0, size)
        if not writer.isOpened():
            raise UsageError(f"this OpenCV cannot encode {fourcc}; leave that rung out with --rungs")
        bgr = cv2.cvtColor(padded, cv2.COLOR_RGB2BGR)
        for shift in range(_CLIP_FRAMES - 1, -1, -1):
            frame = cv2.copyMakeBorder(bgr, 0, 0, shift, 0, cv2.BORDER_REPLICATE)
            writer.write(np.ascontiguousarray(frame[:, : size[0]]))
        writer.release()
        last = _last_frame(name)
    if last is None or last.shape != padded.shape:
        raise UsageError(f"what this OpenCV encodes as {fourcc} it cannot decode; leave that rung out")
    return np.ascontiguousarray(last[:height, :width, ::-1])


def compound(rgb: U8, rng: np.random.Generator) -> U8:
    """Three to five mild steps of different kinds in random order."""
    steps: tuple[Callable[[U8], U8], ...] = (
        lambda p: jpeg(p, int(rng.integers(40, 96))),
        lambda p: webp(p, int(rng.integers(40, 96))),
        lambda p: resize_and_back(p, float(rng.uniform(0.5, 0.9)), rng),
        lambda p: blur(p, float(rng.uniform(0.3, 1.5))),
        lambda p: noise(p, float(rng.uniform(0.005, 0.04)), rng),
        lambda p: contrast(p, float(rng.uniform(0.7, 1.3))),
        lambda p: saturation(p, float(rng.uniform(0.5, 1.5))),
        lambda p: screenshot(p, rng),
    )
    out = rgb
    for k in rng.permutation(len(steps))[: int(rng.integers(3, 6))]:
        out = steps[k](out)
    return out


def _kernel(rng: np.random.Generator) -> Image.Resampling:
    return KERNELS[int(rng.integers(len(KERNELS)))]


def _smooth_kernel(rng: np.random.Generator) -> Image.Resampling:
    """As ``_kernel`` without nearest neighbour, which no viewer uses to show or halve a photograph."""
    return KERNELS[int(rng.integers(1, len(KERNELS)))]


def _decode(data: bytes) -> U8:
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("RGB"), dtype=np.uint8)


def _last_frame(name: str) -> U8 | None:
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    last: U8 | None = None
    ok, frame = capture.read()
    while ok:
        last = np.asarray(frame, dtype=np.uint8)
        ok, frame = capture.read()
    capture.release()
    return last


def _clip(values: ArrayLike) -> U8:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def _coded() -> dict[str, Callable[[U8], bytes]]:
    codecs = [(f"jpeg{q}", "JPEG", q) for q in (95, 80, 60, 40, 20)]
    codecs += [(f"webp{q}", "WEBP", q) for q in (80, 40)]
    codecs += [(f"av1_{q}", "AVIF", q) for q in (50, 30)]
    return {name: partial(encode, file_format=form, quality=q) for name, form, q in codecs}


CODED: Mapping[str, Callable[[U8], bytes]] = _coded()
"""The rungs that are one pass through a codec: rgb -> the bytes of the file."""


def _ladder() -> dict[str, Rung]:
    rungs: dict[str, Rung] = {"clean": lambda p, _: p.copy()}
    # code=code and its like bind the value now; a bare name would be read when the loop is over.
    for name, code in CODED.items():
        rungs[name] = lambda p, _, code=code: _decode(code(p))  # type: ignore[misc]
    for f in (0.75, 0.5, 0.25):
        rungs[f"resize{f}"] = lambda p, rng, f=f: resize_and_back(p, f, rng)  # type: ignore[misc]
    for name, f in (("half", 0.5), ("quarter", 0.25)):
        rungs[name] = lambda p, rng, f=f: resize(p, f, _smooth_kernel(rng))  # type: ignore[misc]
    for s in (0.5, 1, 2, 3):
        rungs[f"blur{s}"] = lambda p, _, s=s: blur(p, s)  # type: ignore[misc]
    for d in (0.01, 0.05, 0.1, 0.2):
        rungs[f"noise{d}"] = lambda p, rng, d=d: noise(p, d, rng)  # type: ignore[misc]
    for c in (0.6, 1.5):
        rungs[f"contrast{c}"] = lambda p, _, c=c: contrast(p, c)  # type: ignore[misc]
    for c in (0.3, 1.8):
        rungs[f"saturation{c}"] = lambda p, _, c=c: saturation(p, c)  # type: ignore[misc]
    rungs["occlusion"] = occlusion
    rungs["double_jpeg"] = double_jpeg
    rungs["screenshot"] = screenshot
    rungs["mpeg4"] = lambda p, _: clip(p, "mp4v")
    rungs["vp9"] = lambda p, _: clip(p, "VP90")
    rungs["compound"] = compound
    return rungs


RUNGS: Mapping[str, Rung] = _ladder()
"""Every rung that needs nothing else, by name, mildest first within a family."""
H264: Mapping[str, Rung] = {
    f"crf{q}": lambda p, _, q=q: crf(p, q)  # type: ignore[misc]
    for q in (23, 28, 32, 38)
}
"""The rungs that need the program ffmpeg."""
