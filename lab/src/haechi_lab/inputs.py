"""What the networks are fed, for training: read from the cards that ship, as inference reads them there."""

from __future__ import annotations

from haechi import models
from haechi.faces import crops
from haechi.models import feed
from haechi.settings import Settings
from haechi.types import F32, U8

_SHIPPED = Settings(models_dir="")
FACES, FACE_CHECK, SWAP, SYNTHESIS = (
    models.card(name, _SHIPPED) for name in ("faces", "face_check", "swap", "synthesis")
)
CROP, PIECE, LOOK = SWAP.needs_crop(), SYNTHESIS.needs_piece(), FACE_CHECK.needs_crop()
CROP_PX, LOOK_PX, LOOK_SCALE = CROP.size_px, LOOK.size_px, LOOK.square.scale
SEARCH_PX = FACES.needs_input().searched_at_px["still"]
PLACES = SYNTHESIS.needs_input().places["still"]


def _side(card: models.ModelCard) -> int:
    side = card.needs_input().width_px
    assert side is not None
    return side


WINDOW_PX, SYNTHESIS_PX = _side(SWAP), _side(SYNTHESIS)


def crop_box(box_xyxy: F32) -> F32:
    """The square of the face network, f32 (4,)."""
    return crops.crop_box(box_xyxy, CROP.square)


def upright_crop(rgb: U8, own_xyxy: F32, turn_deg: float) -> U8:
    """The crop of the face network, u8 (CROP_PX, CROP_PX, 3)."""
    return crops.upright_crop(rgb, own_xyxy, turn_deg, CROP)


def native_piece(rgb: U8, box_xyxy: F32) -> U8:
    """The piece around a face that is never resampled, u8 (h, w, 3)."""
    return crops.native_piece(rgb, box_xyxy, PIECE)


def upright_piece(rgb: U8, own_xyxy: F32, turn_deg: float) -> U8:
    """The same of a face that is shown turned."""
    return crops.upright_piece(rgb, own_xyxy, turn_deg, PIECE)


def middle(pictures: U8) -> U8:
    """What the face network sees of crops u8 (n, CROP_PX, CROP_PX, 3): u8 (n, WINDOW_PX, WINDOW_PX, 3)."""
    return feed.middle(pictures, SWAP.needs_input())


def fed(pictures: U8) -> F32:
    """The same as the face network reads it, f32 (n, 3, WINDOW_PX, WINDOW_PX)."""
    return feed.feed(middle(pictures), SWAP.needs_input())


def windows(piece: U8) -> list[U8]:
    """The synthesis network's windows of a still's native piece, u8 (SYNTHESIS_PX, SYNTHESIS_PX, 3) each."""
    return feed.windows(piece, SYNTHESIS, "still")
