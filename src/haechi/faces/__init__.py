"""Media, or frames as they come -> FaceTracks: find, landmark, track, crop."""

from __future__ import annotations

from haechi.faces.crops import crop_box, cut, native_piece, upright_crop, upright_piece
from haechi.faces.detections import Detections, iou
from haechi.faces.finder import FaceFinder
from haechi.faces.rules import FaceRules
from haechi.faces.stream import SEARCH_S, FaceStream, Sighting
from haechi.faces.track_buffer import Window

__all__ = [
    "SEARCH_S",
    "Detections",
    "FaceFinder",
    "FaceRules",
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
