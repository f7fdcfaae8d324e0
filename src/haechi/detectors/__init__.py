"""The explicit list of detectors. A new one is one file here and one line below."""

from __future__ import annotations

from collections.abc import Callable

from haechi.detectors.flicker import FlickerDetector
from haechi.detectors.swap import SwapDetector
from haechi.detectors.synthesis import SynthesisDetector
from haechi.settings import Settings
from haechi.types import Detector

DETECTORS: tuple[Callable[[Settings], Detector], ...] = (SwapDetector, SynthesisDetector, FlickerDetector)
"""In the order in which they run; flicker reads what the two before it found in each frame."""
