"""Scores of the whole program for a hundred pictures and videos made by code from the sample, kept in
``scores.json``: a change of the house must not move them.

    python -m tests.scores --exact      are they equal to the last bit, on the machine that wrote them?
    python -m tests.scores --write      write them anew, after a training
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from haechi.pipeline import Pipeline
from haechi.types import U8, Report

FILE = Path(__file__).with_name("scores.json")
SAMPLE = Path(__file__).parents[1] / "samples" / "astronaut.jpg"
PICTURES, VIDEOS, FRAMES = 96, 5, 40


def picture(number: int) -> bytes:
    """PNG: the sample, cut, turned, resized, relit, blurred, pasted into itself or noised by ``number``."""
    draw = np.random.default_rng(number)
    image = Image.open(SAMPLE).convert("RGB")
    left, top = (int(v) for v in draw.integers(0, 90, 2))
    image = image.crop((left, top, 512 - int(draw.integers(0, 90)), 440 - int(draw.integers(0, 60))))
    if number % 4 == 1:
        image = image.rotate(float(draw.uniform(-25, 25)), Image.Resampling.BICUBIC)
    if number % 8 == 2:  # an oval of the face from a smaller copy of it, as swappers make
        small = image.resize((image.width // 3, image.height // 3)).resize(image.size)
        mask = Image.new("L", image.size)
        x, y = 235 - left, 115 - top
        oval = Image.radial_gradient("L").resize((120, 150)).point(lambda v: 255 * (v < 110))
        mask.paste(oval, (x - 60, y - 75))
        image = Image.composite(small, image, mask.filter(ImageFilter.GaussianBlur(4)))
    scale = float(draw.uniform(0.45, 1.3))
    size = (round(image.width * scale), round(image.height * scale))
    image = image.resize(size, Image.Resampling(int(draw.integers(0, 4))))
    image = ImageEnhance.Brightness(image).enhance(float(draw.uniform(0.5, 1.4)))
    image = image.filter(ImageFilter.GaussianBlur(float(draw.uniform(0, 1.2))))
    rgb = np.asarray(image).astype(np.int16)
    if number % 3 == 0:
        rgb = rgb + draw.integers(-12, 13, rgb.shape, np.int16)
    if number % 16 == 7:  # a second face
        rgb = np.concatenate([rgb, rgb[:, ::-1] // 2 + 60], 1)
    out = io.BytesIO()
    Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def video(number: int, folder: Path) -> Path:
    """A film in which the sample drifts and is noised, Motion JPEG."""
    draw = np.random.default_rng(1000 + number)
    image = np.asarray(Image.open(SAMPLE).convert("RGB"))
    file = folder / f"{number}.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 320))
    for k in range(FRAMES):
        x, y = 70 + k * number // 3, 10 + k
        frame: U8 = image[y : y + 320, x : x + 320]
        noise = draw.integers(-6 * number, 6 * number + 1, frame.shape)
        writer.write(np.clip(frame.astype(np.int16) + noise, 0, 255).astype(np.uint8)[:, :, ::-1])
    writer.release()
    return file


def numbers(report: Report) -> dict[str, float | None]:
    """By detector its llr, and the score of the verdict."""
    scores = {e.detector: e.llr for e in report.evidence if e.detector in ("swap", "synthesis", "flicker")}
    return {**scores, "verdict": report.verdict.score}


def measure() -> Iterator[tuple[str, dict[str, float | None]]]:
    """Name and scores of every picture and video."""
    checker = Pipeline()
    for number in range(PICTURES):
        yield f"picture {number}", numbers(checker.check(picture(number)))
    with tempfile.TemporaryDirectory() as folder:
        for number in range(VIDEOS):
            yield f"video {number}", numbers(checker.check(video(number, Path(folder))))


if __name__ == "__main__":
    table = dict(measure())
    if "--write" in sys.argv:
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
        FILE.write_text(f"{{\n{rows}\n}}\n")
    different = [name for name, row in json.loads(FILE.read_text()).items() if table[name] != row]
    count = sum(v is not None for row in table.values() for v in row.values())
    print(f"{count} scores; different: {different or 'none'}")
    sys.exit(bool(different))
