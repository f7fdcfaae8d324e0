"""Reading a card field by field: what is missing, of the wrong type or out of range is a ModelError that
names the field. Nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from haechi.errors import ModelError

CURE = (
    "Reinstall Haechi (pip install --force-reinstall haechi) or set HAECHI_MODELS_DIR to a complete folder."
)


class Facts(dict[str, Any]):
    """An object of a card, at any depth. Whoever asks for something that is not in it meets a ModelError."""

    def __init__(self, facts: Mapping[str, Any], card: str) -> None:
        super().__init__(facts)
        self.card = card

    def __missing__(self, key: str) -> Any:
        raise ModelError(f"The card of the model {self.card!r} says nothing of {key!r}. {CURE}")


class Fields:
    """One object of a card; ``where`` is its place in it, with a dot behind. All methods raise ModelError."""

    def __init__(self, values: Any, card: str, where: str = "") -> None:
        self.card, self.where = card, where
        if not isinstance(values, Mapping):
            raise self.wrong("", "must be an object")
        self.values = values

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def wrong(self, key: str, why: str) -> ModelError:
        field = f"{self.where}{key}".rstrip(".") or "it"
        return ModelError(f"The card of the model {self.card!r} does not hold: {field} {why}. {CURE}")

    def value(self, key: str) -> Any:
        if key not in self:
            raise self.wrong(key, "is missing")
        return self.values[key]

    def text(self, key: str, default: str | None = None) -> str:
        value = default if default is not None and key not in self else self.value(key)
        if not isinstance(value, str):
            raise self.wrong(key, "must be a text")
        return value

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in choices:
            raise self.wrong(key, f"is {value!r}; this version knows {', '.join(choices)}")
        return value

    def number(self, key: str, least: float = -math.inf, most: float = math.inf) -> float:
        return self._number(key, self.value(key), least, most)

    def whole(self, key: str, least: int = 1) -> int:
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"must be a whole number of at least {least}")
        return value

    def numbers(self, key: str, least: float = -math.inf, most: float = math.inf) -> tuple[float, ...]:
        return tuple(self._number(key, v, least, most) for v in self.listed(key))

    def wholes(self, key: str) -> tuple[int, ...]:
        numbers = self.numbers(key, 1)
        if not numbers or any(n != int(n) for n in numbers):
            raise self.wrong(key, "must be whole numbers")
        return tuple(int(n) for n in numbers)

    def texts(self, key: str) -> tuple[str, ...]:
        """Entries of a list that is only shown: what is no list counts as its only entry, an object as its
        ``name``."""
        value = self.values.get(key)
        entries = value if isinstance(value, list) else [] if value is None else [value]
        return tuple(str(e.get("name", e)) if isinstance(e, Mapping) else str(e) for e in entries)

    def listed(self, key: str) -> Sequence[Any]:
        value = self.value(key)
        if not isinstance(value, list):
            raise self.wrong(key, "must be a list")
        return value

    def inner(self, key: str) -> Fields:
        return Fields(self.value(key), self.card, f"{self.where}{key}.")

    def each(self, key: str) -> list[Fields]:
        return [Fields(v, self.card, f"{self.where}{key}[{k}].") for k, v in enumerate(self.listed(key))]

    def _number(self, key: str, value: Any, least: float, most: float) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            limits = [f"at least {least:g}"] if least > -math.inf else []
            limits += [f"at most {most:g}"] if most < math.inf else []
            raise self.wrong(key, " ".join(["must be a number", " and ".join(limits)]).rstrip())
        return float(value)
