"""Media, or frames as they come -> FaceTracks: find, landmark, track, crop."""

from __future__ import annotations

from haechi.faces.crops import (
    CROP_DOWN,
    CROP_PX,
    CROP_SCALE,
    crop_box,
    cut,
    native_piece,
    upright_crop,
    upright_piece,
)
from haechi.faces.detections import Detections, iou
from haechi.faces.finder import FaceFinder
from haechi.faces.stream import SEARCH_PX, VIDEO_SEARCH_PX, FaceStream, Sighting
from haechi.faces.track_buffer import Window

__all__ = [
    "CROP_DOWN",
    "CROP_PX",
    "CROP_SCALE",
    "SEARCH_PX",
    "VIDEO_SEARCH_PX",
    "Detections",
    "FaceFinder",
    "FaceStream",
    "Sighting",
    "Window",
    "crop_box",
    "cut",
    "iou",
    "native_piece",
    "upright_crop",
    "upright_piece",
]
