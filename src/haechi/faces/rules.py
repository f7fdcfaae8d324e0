"""What is searched for and cut out of the frames of a source: what the cards of its readers ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from haechi import models
from haechi.errors import ModelError
from haechi.models import CropRule, PieceRule
from haechi.models.fields import CURE
from haechi.settings import Settings


@dataclass(frozen=True, slots=True)
class FaceRules:
    """crop: of the card ``swap``, which those of other face networks repeat · piece: the native piece, of
    the card ``faces`` · search_px: longest sides at which a ``still`` and a frame of a ``video`` are
    searched, of the same."""

    crop: CropRule
    piece: PieceRule
    search_px: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, settings: Settings) -> FaceRules:
        """Raises ModelError when one of the cards is missing, altered or says nothing of it, or when the
        face networks ask for crops of two kinds."""
        swap, synthesis, finder = (models.card(n, settings) for n in ("swap", "synthesis", "faces"))
        if synthesis.needs_crop() != swap.needs_crop():
            raise ModelError(
                "The cards of the models 'swap' and 'synthesis' ask for different crops of a face: give both "
                f"the same block 'crop'. {CURE}"
            )
        return cls(swap.needs_crop(), finder.needs_piece(), finder.needs_input().searched_at_px)
