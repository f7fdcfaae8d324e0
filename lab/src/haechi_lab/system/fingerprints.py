"""What fingerprints promise, measured: that they find copies and nothing else, quickly. Written to
results/pdq.json; the other promises of the case file are measured by ``case``."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi import pdq
from haechi.bench.result import write_json
from haechi.case import Entry, Fingerprints
from haechi.case.fingerprints import crop_hashes
from haechi.case.match import Known
from haechi.errors import InputError, UsageError
from haechi.media import open_media
from haechi.settings import Settings
from haechi.types import U8
from haechi_lab.system.server.result import rendered, row

SCHEMA = "haechi.evidence/1"


def bench_pdq(
    out: Path | None, pictures: Path | None = None, *, limit: int = 200, hashes: int = 100_000
) -> dict[str, Any]:
    """Speed, exactness and what a fingerprint survives, on the pictures of a folder (the first ``limit`` by
    name; without a folder on as many that are made here). Writes ``out`` and returns its content."""
    samples = list(_pictures(pictures, limit))
    with _one_core():
        rows = [*_searching(hashes), *_hashing(), *_beside_the_reference(samples)]
    survival = _survival(samples)
    table = {
        "columns": [
            "what was done to the copy",
            "found by the whole",
            "and by its parts",
            "other pictures matched",
        ],
        "rows": [
            [name, f"{100 * s['whole']:.0f}%", f"{100 * s['parts']:.0f}%", str(s["false"])]
            for name, s in survival.items()
        ],
    }
    return written(
        out,
        {"pictures": "given" if pictures else "made", "n_pictures": len(samples), "hashes": hashes},
        rows,
        {"match_at_bits": pdq.MATCH_AT, "survival": survival, "table": table},
    )


def lines(result: Mapping[str, Any]) -> str:
    """A result for a terminal."""
    text = rendered(result["rows"])
    table = [result["table"]["columns"], *result["table"]["rows"]] if "table" in result else []
    widths = [max(map(len, column)) + 2 for column in zip(*table, strict=True)]
    for first, *rest in table:
        text += "\n" + f"{first:<{widths[0]}}"
        text += "".join(f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True))
    return text


def _pictures(folder: Path | None, limit: int) -> Iterator[U8]:
    """u8 (H, W, 3) RGB."""
    if folder is None:
        yield from (made_picture(seed) for seed in range(min(limit, 60)))
        return
    settings, count = Settings(), 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            media = open_media(path, settings)
        except InputError:
            continue
        if media.kind == "image":
            count += 1
            yield next(media.frames(1)).rgb
        if count == limit:
            return
    if not count:
        raise UsageError("--pictures: there is no picture in that folder.")


def made_picture(seed: int) -> U8:
    """Soft shapes with edges and grain, 480 x 640."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    picture = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
    for _ in range(8):
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        cv2.circle(
            picture, tuple(int(v) for v in rng.integers(0, 480, 2)), int(rng.integers(10, 90)), colour, -1
        )
    grainy = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255)
    return np.asarray(grainy, np.uint8)


def _searching(hashes: int) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(0)
    pool = [rng.bytes(32).hex() for _ in range(hashes)]
    index = pdq.Index(pool)
    times, wrong = [], 0
    for i in range(200):
        flips = rng.choice(256, int(rng.integers(0, 40)), replace=False)
        query = int(pool[i * (hashes // 200)], 16) ^ sum(1 << int(bit) for bit in flips)
        start = time.perf_counter()
        hits = index.search(f"{query:064x}")
        times.append(time.perf_counter() - start)
        if i < 10:  # against the plainest way to count bits
            plain = [(query ^ int(h, 16)).bit_count() for h in pool]
            wrong += {(h.position, h.distance) for h in hits} != {
                (k, d) for k, d in enumerate(plain) if d <= pdq.MATCH_AT
            }
    yield row(f"a search among {hashes:,} hashes, median", 1000 * float(np.median(times)), "ms", 50)
    yield row(f"a search among {hashes:,} hashes, slowest of 200", 1000 * max(times), "ms", 50)
    yield row("searches that differ from comparing all, of 10", wrong, "", 0)


def _hashing() -> Iterator[dict[str, Any]]:
    large = np.asarray(cv2.resize(made_picture(0), (4000, 3000), interpolation=cv2.INTER_LINEAR), np.uint8)
    yield row("hashing 12 megapixels", min(timed(lambda: pdq.hash_rgb(large)) for _ in range(5)), "s")
    yield row("and its 255 parts", min(timed(lambda: crop_hashes(large)) for _ in range(5)), "s")


def _beside_the_reference(pictures: Sequence[U8]) -> Iterator[dict[str, Any]]:
    """Against pdqhash, which wraps the C++ of ThreatExchange, where it is installed."""
    if find_spec("pdqhash") is None:
        return
    pdqhash = import_module("pdqhash")
    apart = []
    for rgb in pictures:
        bits, quality = pdqhash.compute(np.ascontiguousarray(rgb))
        own = pdq.hash_rgb(rgb)
        if quality >= 80:
            apart.append(pdq.distance(own.hash, np.packbits(np.asarray(bits, np.uint8)).tobytes().hex()))
    if apart:
        yield row(f"bits beside the reference, worst of {len(apart)} pictures", max(apart), "bits", 10)
        yield row("pictures with the very same hash", 100 * apart.count(0) / len(apart), "%")


def _survival(pictures: Sequence[U8]) -> dict[str, dict[str, Any]]:
    """Share of copies found, after each treatment; ``false``: pairs of different pictures taken for
    copies."""
    entries = []
    for number, rgb in enumerate(pictures, 1):
        fingerprint = pdq.hash_rgb(rgb)
        if fingerprint.quality >= pdq.MIN_QUALITY:
            fingerprints = Fingerprints("image", "", fingerprint.hash, fingerprint.quality, crop_hashes(rgb))
            entries.append(Entry(number, "", "", "", 0, fingerprints))
    index = Known(entries)
    out: dict[str, dict[str, Any]] = {}
    for name, treat in _TREATMENTS.items():
        rng = np.random.default_rng(1)
        whole = parts = wrong = 0
        for entry in entries:
            copy = _recoded(treat(pictures[entry.number - 1], rng))
            hits = list(index.seen(pdq.dihedral(copy)[0]))
            whole += any(s.entry == entry.number and s.how == "picture" for s in hits)
            parts += any(s.entry == entry.number for s in hits)
            wrong += len({s.entry for s in hits} - {entry.number})
        n = max(len(entries), 1)
        out[name] = {"n": len(entries), "whole": whole / n, "parts": parts / n, "false": wrong}
    return out


def _recoded(rgb: U8, quality: int = 70) -> U8:
    coded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    bgr: Any = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _scaled(rgb: U8, part: float) -> U8:
    size = (max(int(rgb.shape[1] * part), 64), max(int(rgb.shape[0] * part), 64))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cropped(most: float) -> Callable[[U8, np.random.Generator], U8]:
    """Each side loses a random part of up to ``most``."""

    def crop(rgb: U8, rng: np.random.Generator) -> U8:
        height, width = rgb.shape[:2]
        top, bottom, left, right = rng.uniform(0, most, 4)
        part = rgb[
            int(height * top) : int(height * (1 - bottom)), int(width * left) : int(width * (1 - right))
        ]
        return np.ascontiguousarray(part)

    return crop


_TREATMENTS: dict[str, Callable[[U8, np.random.Generator], U8]] = {
    "JPEG 70": lambda rgb, _: rgb,
    "JPEG 20": lambda rgb, _: _recoded(rgb, 20),
    "half the size": lambda rgb, _: _scaled(rgb, 0.5),
    "a quarter of the size": lambda rgb, _: _scaled(rgb, 0.25),
    "mirrored": lambda rgb, _: np.ascontiguousarray(rgb[:, ::-1]),
    "turned by 90 degrees": lambda rgb, _: np.ascontiguousarray(np.rot90(rgb)),
    "brighter by a fifth": lambda rgb, _: np.asarray(cv2.convertScaleAbs(rgb, alpha=1.2), np.uint8),
    **{f"up to {100 * m:.0f}% cut off each side": _cropped(m) for m in (0.02, 0.04, 0.06, 0.08, 0.10, 0.12)},
}


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def _one_core() -> Iterator[None]:
    """This process on one processor, where the system can say so (Linux)."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def written(
    out: Path | None, facts: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], more: Mapping[str, Any]
) -> dict[str, Any]:
    result = {
        "schema": SCHEMA,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": metadata.version("haechi"),
        "machine": {"system": platform.system(), "python": platform.python_version()},
        **facts,
        "rows": [dict(r) for r in rows],
        **more,
    }
    if out is not None:
        write_json(out, result)
    return result
