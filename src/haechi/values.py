"""Values that hold arrays: equal when their contents are, usable as keys, and short when printed."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

_LONGEST_TEXT, _MOST_ITEMS = 40, 4


class Value:
    """Base of frozen dataclasses (``eq=False, repr=False``). Two are equal when they are of one kind and
    their fields are: arrays by shape and numbers, NaN equal to NaN; fields with ``compare=False`` are left
    out.

    The hash goes by what is cheap to read: arrays count with their shapes alone."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)) and not isinstance(self, type(other)):
            return NotImplemented
        return all(_equal(mine, getattr(other, name)) for name, mine in _compared(self))

    def __hash__(self) -> int:
        return hash(tuple(_key(value) for _, value in _compared(self)))

    def __repr__(self) -> str:
        visible_fields = (f for f in fields(self) if f.repr)  # type: ignore[arg-type]
        inside = ", ".join(f"{f.name}={_short(getattr(self, f.name))}" for f in visible_fields)
        return f"{type(self).__name__}({inside})"


def _compared(value: Any) -> list[tuple[str, Any]]:
    return [(f.name, getattr(value, f.name)) for f in fields(value) if f.compare]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.shape(a) == np.shape(b) and _same_numbers(np.asarray(a), np.asarray(b))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(value, b[key]) for key, value in a.items())
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return bool(a == b)


def _same_numbers(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    inexact = np.issubdtype(a.dtype, np.inexact) and np.issubdtype(b.dtype, np.inexact)
    return bool(np.array_equal(a, b, equal_nan=inexact))


def _key(value: Any) -> Hashable:
    """Something to hash, equal for equal values."""
    if isinstance(value, np.ndarray):
        return tuple(value.shape)
    if isinstance(value, tuple | list):
        return tuple(_key(item) for item in value)
    if isinstance(value, Mapping):
        return frozenset(value)
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return value if isinstance(value, Hashable) else type(value).__name__


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST_TEXT else f"{value[: _LONGEST_TEXT - 1]}…")
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        plain = len(value) <= _MOST_ITEMS and not any(isinstance(v, np.ndarray | tuple) for v in value)
        inside = ", ".join(map(_short, value)) if plain else f"{len(value)} items"
        return f"({inside},)" if plain and len(value) == 1 else f"({inside})"
    if isinstance(value, Mapping):
        few = len(value) <= _MOST_ITEMS
        pairs = ", ".join(f"{key!r}: {_short(item)}" for key, item in value.items())
        return f"{{{pairs if few else f'{len(value)} entries'}}}"
    return repr(value)
