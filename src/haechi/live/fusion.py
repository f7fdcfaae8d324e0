"""From what a second shows of a person to the log-odds that the face is forged, by the numbers of the card
``live``: each sign becomes a likelihood ratio with a cap, and a logistic model weighs the signs and the
networks together, since they err together (standing rule 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from haechi.types import F64


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """weights f64 (n,): of what is measured · intercept, cap_for, cap_against: nats."""

    weights: F64
    intercept: float
    cap_for: float
    cap_against: float

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> Sign:
        """From a block of the card."""
        weights = np.array(block["weights"], np.float64)
        caps = float(block["cap_for"]), float(block["cap_against"])
        return cls(weights, float(block["intercept"]), *caps)

    def ratio(self, measures: F64) -> float:
        """Natural logarithm of the likelihood ratio, above 0 for a forgery."""
        value = float(self.weights @ measures) + self.intercept
        return min(max(value, -self.cap_against), self.cap_for)


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """signs: by name, those that count · weights: of their ratios and those of the networks."""

    signs: Mapping[str, Sign]
    weights: Mapping[str, float]
    intercept: float

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Fusion:
        """From the parameters of the card."""
        signs = {name: Sign.of(block) for name, block in parameters["signs"].items()}
        weights = {name: float(weight) for name, weight in parameters["fusion"]["weights"].items()}
        return cls(signs, weights, float(parameters["fusion"]["intercept"]))

    def ratios(self, networks: Mapping[str, float], measures: Mapping[str, F64]) -> dict[str, float]:
        """The ratios of the networks and of every sign that was measured, by name."""
        of_signs = {name: sign.ratio(measures[name]) for name, sign in self.signs.items() if name in measures}
        return {**networks, **of_signs}

    def log_odds(self, ratios: Mapping[str, float]) -> float:
        """Fused log-odds at even prior odds; what is missing adds nothing."""
        return self.intercept + sum(self.weights.get(name, 0.0) * value for name, value in ratios.items())
