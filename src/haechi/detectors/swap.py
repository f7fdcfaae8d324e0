"""Swapped, re-enacted, locally edited and generated faces, from the face crop, with a map of where."""

from __future__ import annotations

from haechi.detectors.network import NetworkDetector


class SwapDetector(NetworkDetector):
    """Card ``swap``. One logit and one map a crop."""

    name = "swap"
