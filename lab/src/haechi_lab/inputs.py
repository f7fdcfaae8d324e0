"""What the networks are fed, for training: read from the cards that ship, as inference reads them there."""

from __future__ import annotations

from haechi import models
from haechi.faces import crops
from haechi.models import feed
from haechi.settings import Settings
from haechi.types import F32, U8

_SHIPPED = Settings(models_dir="")
FACES, FACE_CHECK, SWAP = (models.card(name, _SHIPPED) for name in ("faces", "face_check", "swap"))
CROP, LOOK = SWAP.needs_crop(), FACE_CHECK.needs_crop()
CROP_PX, LOOK_PX, LOOK_SCALE = CROP.size_px, LOOK.size_px, LOOK.square.scale
SEARCH_PX = FACES.needs_input().searched_at_px["still"]


def _side(card: models.ModelCard) -> int:
    side = card.needs_input().width_px
    assert side is not None
    return side


WINDOW_PX = _side(SWAP)


def crop_box(box_xyxy: F32) -> F32:
    """The square of the face network, f32 (4,)."""
    return crops.crop_box(box_xyxy, CROP.square)


def upright_crop(rgb: U8, own_xyxy: F32, turn_deg: float) -> U8:
    """The crop of the face network, u8 (CROP_PX, CROP_PX, 3)."""
    return crops.upright_crop(rgb, own_xyxy, turn_deg, CROP)


def middle(pictures: U8) -> U8:
    """What the face network sees of crops u8 (n, CROP_PX, CROP_PX, 3): u8 (n, WINDOW_PX, WINDOW_PX, 3)."""
    return feed.middle(pictures, SWAP.needs_input())


def fed(pictures: U8) -> F32:
    """The same as the face network reads it, f32 (n, 3, WINDOW_PX, WINDOW_PX)."""
    return feed.feed(middle(pictures), SWAP.needs_input())
