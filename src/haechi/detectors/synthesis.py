"""Faces that a generator drew, whole or set into a photograph, from the face crop."""

from __future__ import annotations

from haechi.detectors.network import NetworkDetector


class SynthesisDetector(NetworkDetector):
    """Card ``synthesis``. A large network that knows the world and was frozen, with a small head; it looks at
    fewer moments of a video than the face network."""

    name = "synthesis"
    most_moments = 16
