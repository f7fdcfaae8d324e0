"""PDQ: a fingerprint of 256 bits that copies of a picture share, and an exact search among such fingerprints.

Written after "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019):
luma, two passes of box filters in both directions (Jarosz), 64 x 64 samples, the 16 x 16 lowest waves of
their cosine transform without the mean, one bit a wave: above the median or not. All sums are made in the
order and in the 32 bits of the C++ reference of ThreatExchange, so that the same pixels give the same hash.

The picture is hashed in its own size, as the core of the C++ reference does it. Other tools shrink it first
(to 512 pixels, say); their hashes of one file differ from these by a few bits, which ``MATCH_AT`` allows for.
A hash is written as 64 hexadecimal digits, the highest wave first.

Not the package pdqhash, whose bits are the same: 0.2.8 has no wheels for Linux, and takes five times as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import UsageError
from haechi.types import F32, U8, Media

MATCH_AT = 31
"""Hashes at most this many bits apart are copies of one picture (the reference's advice)."""
MIN_QUALITY = 50
"""Below it a picture has too little in it, such as a plain wall, and its hash says nothing (the same)."""
TURNS = ("as_is", "rot90", "rot180", "rot270", "flip_rows", "flip_columns", "transposed", "anti_transposed")
"""What ``dihedral`` hashes, in its order. rot90: turned counterclockwise by 90 degrees; ``flip_rows``: upside
down; ``flip_columns``: as in a mirror."""
MIRRORED = frozenset(TURNS[4:])

_SIDE, _WAVES, _LEAST_PX = 64, 16, 5
_BAND_ROWS = 1024
_EXACT_PX = 640


class Print(NamedTuple):
    """A fingerprint: 64 hexadecimal digits, and its quality from 0 to 100."""

    hash: str
    quality: int


class Hit(NamedTuple):
    """An entry of an ``Index``: its position there and its distance in bits."""

    position: int
    distance: int


class Moment(NamedTuple):
    """A fingerprint of a video's frame."""

    time_s: float
    hash: str


def hash_rgb(rgb: U8) -> Print:
    """The fingerprint of a picture u8 (H, W, 3). Below 5 pixels a side it is all zeros of quality 0."""
    waves, quality = _waves(rgb)
    return Print(_bits(waves), quality)


def dihedral(rgb: U8) -> tuple[tuple[str, ...], int]:
    """The hashes of the picture turned and mirrored in eight ways, in the order of ``TURNS``, and its
    quality.

    Those of a picture above ``_EXACT_PX`` come from one cosine transform by changes of sign, as in the
    reference, and differ by a few bits from hashes of the turned picture itself. In a small picture the 64
    samples do not lie evenly about its middle, and it would be 20 bits and more: there the pixels are
    turned."""
    if max(rgb.shape[:2]) <= _EXACT_PX:
        hashes = [hash_rgb(np.ascontiguousarray(turned)) for turned in _pixels_turned(rgb)]
        return tuple(p.hash for p in hashes), hashes[0].quality
    waves, quality = _waves(rgb)
    if min(rgb.shape[:2]) < _LEAST_PX:
        return (_bits(waves),) * len(TURNS), quality
    return tuple(_bits(t) for t in _turned(waves)), quality


def hash_samples(samples: F32) -> list[Print]:
    """Fingerprints of n pictures at once that were reduced to 64 x 64 samples of brightness already, f32
    (n, 64, 64) in [0, 255]: a hundred times quicker than one by one, and a few bits off, because whoever
    reduced them did so in another way and the sums are made in another order."""
    turn = _cosines()
    waves = np.asarray(turn @ samples @ turn.T, np.float32)
    return [Print(_bits(w), _quality(s)) for w, s in zip(waves, samples, strict=True)]


def distance(a: str, b: str) -> int:
    """In how many of the 256 bits two hashes differ. Raises UsageError for what is no hash."""
    return int.bit_count(int(checked(a), 16) ^ int(checked(b), 16))


def checked(text: str) -> str:
    """A hash in lower case. Raises UsageError for anything but 64 hexadecimal digits."""
    plain = text.strip().lower()
    if len(plain) != 64 or not set(plain) <= set("0123456789abcdef"):
        raise UsageError("This is no PDQ hash: it must be 64 hexadecimal digits (0-9, a-f).")
    return plain


class Index:
    """Exact search among hashes: all of them are compared, a hundred thousand in about a millisecond."""

    def __init__(self, hashes: Iterable[str]) -> None:
        text = "".join(checked(h) for h in hashes)
        words = np.frombuffer(bytes.fromhex(text), np.uint64).reshape(-1, 4)
        self._words = np.ascontiguousarray(words.T)  # u64 (4, n): each of the four is one pass over memory

    def __len__(self) -> int:
        return int(self._words.shape[1])

    def search(self, query: str, at_most: int = MATCH_AT) -> list[Hit]:
        """Every entry at most so many bits away, nearest first, then in the order of the index."""
        apart = self.distances(query)
        positions = np.flatnonzero(apart <= at_most)
        positions = positions[np.argsort(apart[positions], kind="stable")]
        return [Hit(int(i), int(apart[i])) for i in positions]

    def distances(self, query: str) -> NDArray[np.uint16]:
        """u16 (n,): bits between the hash and every entry."""
        words = np.frombuffer(bytes.fromhex(checked(query)), np.uint64)
        apart = np.zeros(len(self), np.uint16)
        for own, other in zip(self._words, words, strict=True):
            apart += _ones(own ^ other)
        return apart


def hash_frames(media: Media, most: int = 3600) -> tuple[Moment, ...]:
    """Fingerprints of a video's ``distinct_frames``."""
    return tuple(moment for _, moment in distinct_frames(media, most))


def distinct_frames(media: Media, most: int = 3600) -> Iterator[tuple[U8, Moment]]:
    """Frames of a video, about one a second and at most ``most``, with their fingerprints. Left out are those
    whose quality is below MIN_QUALITY, and those within a third of MATCH_AT of an earlier one: what stands
    still counts once. Raises what ``media.frames`` does."""
    count = min(max(round(media.duration_s or 1.0), 1), most)
    earlier: list[int] = []
    for frame in media.frames(count):
        fingerprint = hash_rgb(frame.rgb)
        value = int(fingerprint.hash, 16)
        if fingerprint.quality >= MIN_QUALITY and all(
            (value ^ k).bit_count() > MATCH_AT // 3 for k in earlier
        ):
            earlier.append(value)
            yield frame.rgb, Moment(frame.time_s, fingerprint.hash)


def _ones(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """u8 (n,): how many bits are set in each of u64 (n,)."""
    if hasattr(np, "bitwise_count"):
        counted: NDArray[np.uint8] = np.bitwise_count(words)
        return counted
    of_halves = _table()[words.view(np.uint16)].reshape(-1, 4)  # NumPy 1
    summed: NDArray[np.uint8] = of_halves.sum(axis=1, dtype=np.uint8)
    return summed


@cache
def _table() -> NDArray[np.uint8]:
    return np.array([n.bit_count() for n in range(2**16)], np.uint8)


def _waves(rgb: U8) -> tuple[F32, int]:
    """f32 (16, 16), the lowest waves of the picture (rows of it by rows), and its quality."""
    if min(rgb.shape[:2]) < _LEAST_PX:
        return np.zeros((_WAVES, _WAVES), np.float32), 0
    return waves_of(_luma_bands(rgb), *rgb.shape[:2])


def waves_of(luma: Iterable[F32], height: int, width: int) -> tuple[F32, int]:
    """As ``_waves``, of a brightness f32 (height, width) in [0, 255] that comes in bands of rows."""
    small = np.concatenate(list(luma)) if (height, width) == (_SIDE, _SIDE) else _reduced(luma, height, width)
    turn = _cosines()
    half = np.zeros((_WAVES, _SIDE), np.float32)
    for k in range(_SIDE):
        half += turn[:, k, None] * small[k]
    out = np.zeros((_WAVES, _WAVES), np.float32)
    for k in range(_SIDE):
        out += half[:, k, None] * turn[:, k]
    return out, _quality(small)


def _turned(waves: F32) -> tuple[F32, ...]:
    """The waves f32 (16, 16) of the picture in its eight TURNS: mirroring changes the sign of every second
    row or column, of the waves that are odd about the middle; turning also swaps the two."""
    rows = np.where(np.arange(_WAVES) % 2, 1, -1).astype(np.float32)[:, None]
    columns = rows.T
    both = waves * rows * columns
    return (
        *(waves, (waves * columns).T, both, (waves * rows).T),
        *(waves * rows, waves * columns, waves.T, both.T),
    )


def _pixels_turned(rgb: U8) -> tuple[U8, ...]:
    """The picture u8 (H, W, 3) in its eight TURNS."""
    across = rgb.transpose(1, 0, 2)
    turns = tuple(np.rot90(rgb, k) for k in range(4))
    return (*turns, rgb[::-1], rgb[:, ::-1], across, across[::-1, ::-1])


def _luma_bands(rgb: U8) -> Iterator[F32]:
    for top in range(0, rgb.shape[0], _BAND_ROWS):
        luma = None
        for channel, weight in zip(
            cv2.split(rgb[top : top + _BAND_ROWS]), (0.299, 0.587, 0.114), strict=True
        ):
            part = channel.astype(np.float32)
            part *= np.float32(weight)
            luma = part if luma is None else np.add(luma, part, out=luma)
        assert luma is not None
        yield luma


def _reduced(luma: Iterable[F32], height: int, width: int) -> F32:
    """f32 (64, 64): blurred by two passes of boxes along the rows and down the columns, then sampled. The
    picture flows through in bands, so that memory does not grow with its height."""
    along, down = _window(width), _window(height)
    columns, rows = _samples(width), _samples(height)
    once = _box(_rows(_box_rows(band, along) for band in luma), height, down)
    narrow = (_box_rows(band, along, columns) for band in _bands(once))
    twice = list(_box(_rows(narrow), height, down, rows))
    return np.stack([twice[i] for i in np.unique(rows, return_inverse=True)[1]])


def _window(size: int) -> int:
    """Half of the block that becomes one sample: two passes together reach over the whole of it."""
    return (size + 2 * _SIDE - 1) // (2 * _SIDE)


def _samples(size: int) -> NDArray[np.intp]:
    """intp (64,), ascending: the middles of 64 equal parts. In a small picture some come twice."""
    return ((np.arange(_SIDE) + 0.5) * size / _SIDE).astype(np.intp)


def _box(
    lines: Iterator[F32], count: int, window: int, only: NDArray[np.intp] | None = None
) -> Iterator[F32]:
    """The running mean over ``window`` of ``count`` lines, fewer at both ends, one line for each; ``only``:
    just those, each once.

    A running sum in 32 bits gathers errors of rounding; the reference has the same ones."""
    ahead = (window + 2) // 2 - 1
    positions = range(count) if only is None else set(only.tolist())
    inside: deque[F32] = deque()
    total = np.zeros(0, np.float32)
    for i in range(count + ahead):
        if i < count:
            line = next(lines)
            total = np.add(total, line, out=total) if inside else line.copy()
            inside.append(line)
        if i >= window:
            total -= inside.popleft()
        if i - ahead in positions:
            yield total / np.float32(min(i + 1, window, count + window - 1 - i))


def _box_rows(band: F32, window: int, only: NDArray[np.intp] | None = None) -> F32:
    """The same along each row of f32 (h, w); ``only``: f32 (h, 64), these columns."""
    upright = cv2.transpose(band)
    out = np.stack(list(_box(iter(upright), len(upright), window, only)))
    turned = np.asarray(cv2.transpose(out), np.float32)
    return turned if only is None else turned[:, np.unique(only, return_inverse=True)[1]]


def _rows(bands: Iterable[F32]) -> Iterator[F32]:
    for band in bands:
        yield from band


def _bands(rows: Iterable[F32]) -> Iterator[F32]:
    band: list[F32] = []
    for row in rows:
        band.append(row)
        if len(band) == _BAND_ROWS:
            yield np.stack(band)
            band.clear()
    if band:
        yield np.stack(band)


@cache
def _cosines() -> F32:
    """f32 (16, 64): rows 2 to 17 of the cosine transform (DCT-II) of 64 values; the first is the mean."""
    scale = float(np.float32(np.sqrt(2.0 / _SIDE)))
    wave, at = np.arange(1, _WAVES + 1)[:, None], np.arange(_SIDE)[None, :]
    turn: F32 = (scale * np.cos((np.pi / 2.0 / _SIDE) * wave * (2 * at + 1))).astype(np.float32)
    return turn


def _quality(small: F32) -> int:
    """How much the 64 x 64 samples change from one to the next, from 0 to 100; only steps of a hundredth of
    the whole range and more count."""
    steps = (np.diff(small, axis=axis) * np.float32(100) / np.float32(255) for axis in (0, 1))
    return min(sum(int(np.abs(np.trunc(step)).sum()) for step in steps) // 90, 100)


def _bits(waves: F32) -> str:
    """64 digits: a bit a wave of f32 (16, 16), set above the lower median; the last wave comes first."""
    flat = waves.ravel()
    return np.packbits((flat > np.partition(flat, 127)[127])[::-1]).tobytes().hex()
