"""How a file says that it came about, as IPTC words it, and how China's label for generated content does.

Sources: IPTC NewsCodes "Digital Source Type" (cv.iptc.org), used by XMP and by C2PA alike; GB 45438-2025 and
its guide TC260-PG-20258A (``AIGC`` with ``Label`` 1: generated, 2: perhaps, 3: suspected).
"""

from __future__ import annotations

import json
import re

from haechi.types import Reason

_CODES = {
    "trainedAlgorithmicMedia": "source_ai",
    "compositeWithTrainedAlgorithmicMedia": "source_ai_part",
    "compositeSynthetic": "source_ai_part",
    "algorithmicMedia": "source_computed",
    "dataDrivenMedia": "source_computed",
    "virtualRecording": "source_computed",
    "algorithmicallyEnhanced": "source_enhanced",
    "digitalCapture": "source_camera",
    "computationalCapture": "source_camera",
    "multiFrameComputationalCapture": "source_camera",
    "negativeFilm": "source_camera",
    "positiveFilm": "source_camera",
    "print": "source_camera",
    "screenCapture": "source_screen",
    "humanEdits": "source_edited",
    "minorHumanEdits": "source_edited",
    "composite": "source_composite",
    "compositeCapture": "source_composite",
    "digitalCreation": "source_drawn",
    "digitalArt": "source_drawn",
}
_LABELS = {"1": "label_ai", "2": "label_ai_perhaps", "3": "label_ai_suspected"}
AI_CODES = frozenset({"source_ai", "source_ai_part", *_LABELS.values()})
_LABEL = re.compile(r"[\"']?Label[\"']?\s*[:=]\s*[\"']?([123])\b")


def source_fact(uri: object) -> Reason | None:
    """The statement behind a term such as ``http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture``;
    None for one that is unknown or says nothing."""
    if not isinstance(uri, str):
        return None
    code = _CODES.get(re.split(r"[/#:]", uri.strip()[:200])[-1])
    return Reason(code) if code else None


def label_fact(text: str) -> Reason | None:
    """The statement of an ``AIGC`` label, JSON or something like it; None when it has no ``Label``."""
    try:
        read = json.loads(text[:10_000])
    except (ValueError, RecursionError):
        read = None
    if isinstance(read, dict):
        code = _LABELS.get(str(read.get("Label", "")))
        return Reason(code) if code else None
    match = _LABEL.search(text[:10_000])
    return Reason(_LABELS[match[1]]) if match else None
