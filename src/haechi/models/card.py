"""The card of a model: the one place where its facts live, typed. Training and inference read it here.

A card is JSON beside the weights. A network's says what it is fed (``input``), what is cut out of a picture
for it (``crop``, ``piece``), what it gives (``output``), how its logit is calibrated and where its marks lie;
a card without a ``file`` holds fitted numbers only, under ``parameters``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, cast

from haechi.errors import ModelError
from haechi.models.fields import CURE, Fields

Layout: TypeAlias = Literal["NCHW", "NHWC"]
Colour: TypeAlias = Literal["RGB", "BGR"]
Window: TypeAlias = Literal["whole", "middle"]
Interpolation: TypeAlias = Literal["area when shrinking, bilinear when growing"]

T = TypeVar("T")

LAYOUTS, COLOURS, WINDOWS = ("NCHW", "NHWC"), ("RGB", "BGR"), ("whole", "middle")
INTERPOLATIONS = ("area when shrinking, bilinear when growing",)
MARKS = ("threshold", "finder_weight", "offset", "certain", "certain_over_time", "doubtful")
LARGEST_FACE_PX = 1_000_000
REQUIRED = ("name", "version", "task", "licence", "sha256", "card_sha256")
_NO_OUTPUT = ("map_threshold", "map_shown")


@dataclass(frozen=True, slots=True)
class Square:
    """The square around a face, from the finder's box. scale: its side over the mean of the box's sides ·
    down: how far its centre lies below the box's, in box heights."""

    scale: float
    down: float


@dataclass(frozen=True, slots=True)
class CropRule:
    """The crop of a face: the square, resampled to ``size_px`` a side (areas averaged when it shrinks, linear
    when it grows), the border of the picture repeated where it leaves it."""

    square: Square
    size_px: int


@dataclass(frozen=True, slots=True)
class PieceRule:
    """The piece of the picture around a face that is never resampled: a square of ``scale`` times ``square``,
    at least ``least_px`` and at most ``most_px`` a side. A face of which the square is larger than
    ``largest_px`` is reduced by a whole number first."""

    square: Square
    scale: float
    least_px: int
    most_px: int
    largest_px: int


@dataclass(frozen=True, slots=True)
class InputRule:
    """What a network is fed. width_px, height_px: None when it takes any multiple of ``multiple_of`` ·
    window: the part of a crop that it sees, its ``middle`` or the ``whole`` ·
    low, high: what 0 and 255 become · searched_at_px: longest sides at which a picture is searched,
    ascending, of a ``still`` and a ``video`` · border: grey, 0 to 255, of what lies around a picture."""

    width_px: int | None
    height_px: int | None
    multiple_of: int
    layout: Layout
    colour: Colour
    low: float
    high: float
    interpolation: Interpolation
    window: Window
    searched_at_px: Mapping[str, tuple[int, ...]]
    border: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """For faces smaller than ``below_px``: llr = slope * logit + intercept (Platt 1999)."""

    below_px: float
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """bins: ascending by face size · cap_for, cap_against: the most that may be said in either direction, in
    nats · genuine: 101 quantiles, 0% to 100%, of what genuine faces of the validation data got, or none."""

    bins: tuple[CalibrationBin, ...]
    cap_for: float
    cap_against: float
    genuine: tuple[float, ...] = ()

    @classmethod
    def of(cls, block: Any, card: str = "?") -> Calibration:
        """From the block ``calibration`` of a card. Raises ModelError."""
        fields = Fields(block, card, "calibration.")
        bins = tuple(
            CalibrationBin(b.number("below_px", 0), b.number("slope"), b.number("intercept"))
            for b in fields.each("bins")
        )
        edges = [b.below_px for b in bins]
        if not edges or edges != sorted(set(edges)):
            raise fields.wrong("bins", "must be there, and ascend by below_px")
        if edges[-1] < LARGEST_FACE_PX:
            raise fields.wrong("bins", f"must reach to faces of {LARGEST_FACE_PX} px")
        genuine = fields.numbers("genuine")
        if genuine and list(genuine) != sorted(genuine):
            raise fields.wrong("genuine", "must ascend")
        return cls(bins, fields.number("cap_for", 0), fields.number("cap_against", 0), genuine)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The facts of one model. Blocks that it has no use for are None. ``marks``: its numbers by name, such as
    ``threshold``; ``outputs``: what the network gives, in its order; ``map_threshold``: where its map is cut
    when it is asked which pixels were changed; ``map_shown``: whether people see it, which they do when it
    lies over true masks better than a plain ellipse does; ``raw``: the whole card as it was read, for
    display; ``path``: the card's own file."""

    name: str
    version: str
    sha256: str
    task: str
    licence: str
    input: InputRule | None = None
    crop: CropRule | None = None
    piece: PieceRule | None = None
    outputs: tuple[str, ...] = ()
    strides: tuple[int, ...] = ()
    map_threshold: float | None = None
    map_shown: bool = False
    calibration: Calibration | None = None
    marks: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    data: tuple[str, ...] = ()
    terms: str = ""
    limits: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    path: Path = field(default=Path(), repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any], path: Path = Path()) -> ModelCard:
        """The card in these values, whose seal was checked. Raises ModelError, which names the field."""
        name = str(raw.get("name", "?"))
        card = Fields(raw, name)
        output = card.inner("output") if "output" in card else None
        training = raw.get("training")
        training_fields = Fields(training if isinstance(training, Mapping) else {}, name)
        return cls(
            name=card.text("name"),
            version=card.text("version"),
            sha256=card.text("sha256"),
            task=card.text("task"),
            licence=card.text("licence"),
            input=_input(card.inner("input"), card) if "input" in card else None,
            crop=_crop(card.inner("crop")) if "crop" in card else None,
            piece=_piece(card.inner("piece")) if "piece" in card else None,
            outputs=() if output is None else tuple(k for k in output.values if k not in _NO_OUTPUT),
            strides=card.wholes("strides") if "strides" in card else (),
            map_threshold=(
                output.number("map_threshold", 0, 1) if output and "map_threshold" in output else None
            ),
            map_shown=output is not None and output.values.get("map_shown") is True,
            calibration=Calibration.of(raw["calibration"], name) if "calibration" in card else None,
            marks={mark: card.number(mark) for mark in MARKS if mark in card},
            parameters=card.inner("parameters").values if "parameters" in card else {},
            data=training_fields.texts("data"),
            terms=" ".join(training_fields.texts("terms")),
            limits=card.texts("limits"),
            figures=card.inner("figures").values if "figures" in card else {},
            raw=raw,
            path=path,
        )

    @property
    def weights(self) -> Path | None:
        """The ONNX file, None for a card of fitted numbers."""
        file = self.raw.get("file")
        return None if file is None else self.path.with_name(str(file))

    def mark(self, name: str) -> float:
        """One of ``marks``. Raises ModelError when the card does not have it."""
        return self._said(name, self.marks.get(name))

    def needs_input(self) -> InputRule:
        """``input`` of a card that must have it, as the three below. Raises ModelError without."""
        return self._said("input", self.input)

    def needs_crop(self) -> CropRule:
        return self._said("crop", self.crop)

    def needs_piece(self) -> PieceRule:
        return self._said("piece", self.piece)

    def needs_calibration(self) -> Calibration:
        return self._said("calibration", self.calibration)

    def _said(self, what: str, value: T | None) -> T:
        if value is None:
            raise ModelError(f"The card of the model {self.name!r} says nothing of {what!r}. {CURE}")
        return value


def _square(fields: Fields) -> Square:
    return Square(
        fields.number("side_over_mean_of_box_sides", 0.1, 10),
        fields.number("centre_down_in_box_heights", -2, 2),
    )


def _crop(fields: Fields) -> CropRule:
    return CropRule(_square(fields), fields.whole("size_px", 8))


def _piece(fields: Fields) -> PieceRule:
    least_px, most_px = fields.whole("least_px"), fields.whole("most_px")
    if least_px > most_px:
        raise fields.wrong("least_px", "must not be above most_px")
    return PieceRule(
        _square(fields), fields.number("side_over_square", 0.1, 10), least_px, most_px,
        fields.whole("largest_square_px"),
    )  # fmt: skip


def _input(fields: Fields, card: Fields) -> InputRule:
    low, high = _pair(fields, "range")
    fixed = "width_px" in fields or "height_px" in fields
    width_px, height_px = (fields.whole(k) if fixed else None for k in ("width_px", "height_px"))
    window = fields.choice("window", WINDOWS, "whole")
    if "crop" in card and width_px is not None and height_px is not None:
        size_px = card.inner("crop").whole("size_px")
        if window == "whole" and (width_px, height_px) != (size_px, size_px):
            raise fields.wrong("width_px", f"must be that of the crop, {size_px}, or the window its middle")
        if window == "middle" and max(width_px, height_px) > size_px:
            raise fields.wrong("width_px", f"must be at most that of the crop, {size_px}")
    return InputRule(
        width_px=width_px,
        height_px=height_px,
        multiple_of=1 if fixed else fields.whole("sides_multiple_of"),
        layout=cast(Layout, fields.choice("layout", LAYOUTS)),
        colour=cast(Colour, fields.choice("colour", COLOURS)),
        low=low,
        high=high,
        interpolation=cast(Interpolation, fields.choice("interpolation", INTERPOLATIONS, INTERPOLATIONS[0])),
        window=cast(Window, window),
        searched_at_px=_searches(fields) if "searched_at_px" in fields else {},
        border=fields.whole("border", 0) if "border" in fields else 0,
    )


def _pair(fields: Fields, key: str) -> tuple[float, float]:
    numbers = fields.numbers(key)
    if len(numbers) != 2 or numbers[0] >= numbers[1]:
        raise fields.wrong(key, "must be two numbers, the lower one first")
    return numbers[0], numbers[1]


def _searches(fields: Fields) -> Mapping[str, tuple[int, ...]]:
    by_kind = fields.inner("searched_at_px")
    sides = {kind: by_kind.wholes(kind) for kind in ("still", "video")}
    for kind, ascending in sides.items():
        if list(ascending) != sorted(ascending):
            raise by_kind.wrong(kind, "must ascend")
    return sides
