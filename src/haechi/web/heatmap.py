"""The heat map of a report as a PNG with transparency, to be laid over the picture."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from haechi.report.data_uris import heat_uri
from haechi.report.pictures import Heat, Picture, pictures_of
from haechi.types import U8, Report


def heat_png(report: Report) -> bytes | None:
    """RGBA, as large as the preview (a video's: the frame of its strongest evidence), transparent where
    nothing speaks for manipulation. None when no evidence has a map."""
    pictures = [picture for picture in pictures_of(report) if picture.heats]
    if not pictures:
        return None
    picture = max(pictures, key=lambda p: max(heat.region.llr for heat in p.heats))
    ok, data = cv2.imencode(".png", _canvas(picture))
    if not ok:
        raise ValueError("a heat map could not be encoded")
    return data.tobytes()


def _canvas(picture: Picture) -> U8:
    """u8 (h, w, 4) BGRA: every map at its place, where two meet the denser one."""
    width, height = picture.size
    out = np.zeros((height, width, 4), np.uint8)
    for heat in picture.heats:
        x1, y1, x2, y2 = (round(v) for v in heat.box)
        left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if right <= left or bottom <= top:
            continue
        whole = cv2.resize(_pixels(heat), (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
        part = whole[top - y1 : bottom - y1, left - x1 : right - x1]
        below = out[top:bottom, left:right]
        np.copyto(below, part, where=part[..., 3:] > below[..., 3:])
    return out


def _pixels(heat: Heat) -> U8:
    """The map as the HTML report draws it, u8 (h, w, 4) BGRA."""
    if heat.region.heatmap is None:
        raise ValueError("a region without a map")
    coded = base64.b64decode(heat_uri(heat.region.heatmap).partition(",")[2])
    return np.asarray(cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
