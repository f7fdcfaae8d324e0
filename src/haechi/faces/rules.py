"""What is searched for and cut out of the frames of a source: what the cards of its readers ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from haechi import models
from haechi.models import CropRule, PieceRule
from haechi.settings import Settings


@dataclass(frozen=True, slots=True)
class FaceRules:
    """crop: of the card ``swap`` · piece: the native piece, of the card ``synthesis`` · search_px: longest
    sides at which a ``still`` and a frame of a ``video`` are searched, of the card ``faces``."""

    crop: CropRule
    piece: PieceRule
    search_px: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, settings: Settings) -> FaceRules:
        """Raises ModelError when one of the cards is missing, altered or says nothing of it."""
        swap, synthesis, finder = (models.card(n, settings) for n in ("swap", "synthesis", "faces"))
        return cls(swap.needs_crop(), synthesis.needs_piece(), finder.needs_input().searched_at_px)
