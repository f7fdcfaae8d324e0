"""The pictures of the HTML report: each preview with faces framed and heat maps laid over it.

Every picture is stored once, in the hidden ``store`` of the page, and drawn by reference: large, as a
thumbnail, and without marks for print. What is drawn is given to templates/picture.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from markupsafe import Markup

from haechi.report.data_uris import heat_uri, jpeg_uri
from haechi.report.formatting import clock, coordinate
from haechi.report.messages import detector_name, say
from haechi.report.templating import render
from haechi.types import CLEAR_RATIO, Evidence, Preview, Region, Report

_CLEAR = float(np.log(CLEAR_RATIO))
SIGNS = ("some", "strong")


BLUR = 1 / 30
"""Of a preview's longer side, the deviation of the blur in which nobody can be made out; as in page.css."""


def blurred(report: Report) -> Report:
    """The report with blurred previews, for what cannot unveil them, as paper cannot."""

    def of(preview: Preview) -> Preview:
        rgb = cv2.GaussianBlur(preview.rgb, (0, 0), BLUR * max(preview.rgb.shape[:2]))
        return replace(preview, rgb=np.asarray(rgb, np.uint8))

    return replace(report, previews=tuple(map(of, report.previews)))


@dataclass(frozen=True, slots=True)
class Face:
    """A face in one preview. box: x1, y1, x2, y2 in preview pixels; suspicious: it shows signs."""

    number: int
    box: tuple[float, float, float, float]
    suspicious: bool


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat map in one preview, of the evidence at ``index`` in the report. box as in Face."""

    index: int
    box: tuple[float, float, float, float]
    region: Region


@dataclass(frozen=True, slots=True)
class Picture:
    """One preview with what belongs on it."""

    index: int
    preview: Preview
    faces: tuple[Face, ...]
    heats: tuple[Heat, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the preview in pixels."""
        return self.preview.rgb.shape[1], self.preview.rgb.shape[0]

    @property
    def uri(self) -> str:
        """The preview as a data URI."""
        return jpeg_uri(self.preview.rgb)


def pictures_of(report: Report) -> list[Picture]:
    """The previews in order of time with what belongs on each."""
    near_s = _near_s(report)
    previews = sorted(report.previews, key=lambda preview: preview.time_s)
    return [
        Picture(i, p, tuple(_faces(report, p, near_s)), tuple(_heats(report, p, near_s)))
        for i, p in enumerate(previews)
    ]


def _near_s(report: Report) -> float:
    """How far apart two times of the same frame can lie: half a frame; a photograph has one time only."""
    if report.media.kind == "image":
        return float("inf")
    return 0.6 / report.media.fps if report.media.fps else 0.05


def _faces(report: Report, preview: Preview, near_s: float) -> Iterator[Face]:
    for track in report.faces:
        if not len(track.times_s):
            continue
        gaps = np.abs(track.times_s - preview.time_s)
        nearest = int(np.argmin(gaps))
        if gaps[nearest] <= near_s:
            box = _scaled(track.boxes_xyxy[nearest], preview)
            yield Face(track.track_id, box, _suspicious(report, track.track_id, preview.time_s))


def _suspicious(report: Report, track_id: int, time_s: float) -> bool:
    """Whether signs were found on this face as a whole, or in a stretch of it that holds this time."""
    verdict = report.verdict
    here = [face.level for face in verdict.faces if face.track_id == track_id]
    here += [
        part.level
        for part in verdict.segments
        if part.track_id == track_id and part.start_s <= time_s <= part.end_s
    ]
    # Reports that an earlier version stored have one level for all.
    return any(level in SIGNS for level in here or [verdict.level])


def _heats(report: Report, preview: Preview, near_s: float) -> Iterator[Heat]:
    for i, item in enumerate(report.evidence):
        for region in item.regions:
            if (
                region.heatmap is not None
                and region.heatmap.size
                and abs(region.time_s - preview.time_s) <= near_s
            ):
                yield Heat(i, _scaled(region.box_xyxy, preview), region)


def _scaled(box: object, preview: Preview) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (np.nan_to_num(np.asarray(box, np.float64)) * preview.scale).tolist()
    return x1, y1, x2, y2


def store(pictures: Sequence[Picture], lang: str) -> Markup:
    """The hidden drawing that holds every picture once."""
    return render("picture_store.html", lang, pictures=pictures)


def rules(pictures: Sequence[Picture], report: Report) -> str:
    """Style rules for this report, of numbers alone: the shape of each stage, the place of each label, and
    what each check box hides. They stand in the page's one style sheet, because the page's policy forbids
    style attributes."""
    lines = ["main:has(#boxes:not(:checked)) :is(.boxes, .tag) { display: none; }"]
    lines += [
        f"main:has(#heat-{i}:not(:checked)) .heat-{i} {{ display: none; }}"
        for i in range(len(report.evidence))
    ]
    for p in pictures:
        width, height = p.size
        lines.append(f".stage-{p.index} {{ --w: {width}; --h: {height}; }}")
        for n, face in enumerate(p.faces):
            left, top = 100 * max(face.box[0], 0) / width, 100 * max(face.box[1], 0) / height
            lines.append(f"#tag-{p.index}-{n} {{ left: {coordinate(left)}%; top: {coordinate(top)}%; }}")
    return "\n".join(lines)


def controls(report: Report, pictures: Sequence[Picture], lang: str) -> dict[str, Any]:
    """A check box for the frames, and one for each heat map. That is on at first when its detector found
    something."""
    indices = sorted({heat.index for p in pictures for heat in p.heats})
    return {"switches": [_heat_switch(report.evidence[i], i, lang) for i in indices]}


def _heat_switch(item: Evidence, index: int, lang: str) -> dict[str, Any]:
    on = item.status == "scored" and item.llr is not None and item.llr >= _CLEAR
    return {"index": index, "on": on, "label": say("ui_heat", lang, detector=item.detector)}


def figure(picture: Picture, report: Report, lang: str) -> dict[str, Any]:
    """One preview with its marks."""
    width, height = picture.size
    return {
        "index": picture.index,
        "width": width,
        "height": height,
        "alt": _alt(picture, report, lang),
        "heats": [drawing for drawing in map(_heat_drawing, picture.heats) if drawing],
        "faces": [_face_drawing(face) for face in picture.faces],
        "time": clock(picture.preview.time_s) if report.media.kind == "video" else "",
    }


def _heat_drawing(heat: Heat) -> dict[str, Any]:
    x1, y1, x2, y2 = heat.box
    heatmap = heat.region.heatmap
    if heatmap is None or x2 <= x1 or y2 <= y1:
        return {}
    return {"index": heat.index, "uri": heat_uri(heatmap), **_place(heat.box)}


def _face_drawing(face: Face) -> dict[str, Any]:
    face_view = {"number": face.number, "suspicious": face.suspicious, "at_top": face.box[1] < 30}
    return face_view | _place(face.box)


def _place(box: tuple[float, float, float, float]) -> dict[str, str]:
    x1, y1, x2, y2 = box
    return {
        "x": coordinate(x1),
        "y": coordinate(y1),
        "width": coordinate(max(x2 - x1, 0)),
        "height": coordinate(max(y2 - y1, 0)),
    }


def _alt(picture: Picture, report: Report, lang: str) -> str:
    """The picture in words: where each face is and whether anything was found on it."""
    media, time = report.media, clock(picture.preview.time_s)
    if media.kind == "video":
        lines = [say("ui_alt_frame", lang, time=time)]
    else:
        lines = [say("ui_alt_picture", lang, width=media.width_px, height=media.height_px)]
    for face in picture.faces:
        finding = say("ui_finding_for" if face.suspicious else "ui_finding_none", lang)
        where = say(f"pos_{_ninth(face.box, picture.size)}", lang)
        lines.append(say("ui_alt_face", lang, face=face.number, where=where, finding=finding))
    if not picture.faces:
        lines.append(say("ui_alt_noface", lang))
    if picture.heats:
        names = say("ui_sep", lang).join(
            dict.fromkeys(detector_name(report.evidence[heat.index].detector, lang) for heat in picture.heats)
        )
        lines.append(say("ui_alt_heat", lang, detector=names))
    return " ".join(lines)


def _ninth(box: tuple[float, float, float, float], size: tuple[int, int]) -> int:
    """In which ninth of the picture a box has its middle: 0 upper left to 8 lower right."""
    column, row = (
        min(max(int(3 * (low + high) / 2 / length), 0), 2)
        for low, high, length in ((box[0], box[2], size[0]), (box[1], box[3], size[1]))
    )
    return 3 * row + column


def thumbs(pictures: Sequence[Picture], span_s: float) -> list[dict[str, Any]]:
    """Links to the frames of a video: a small picture and its time. The script turns them into a choice."""
    if len(pictures) < 2:
        return []
    best = strongest(pictures)
    return [
        {
            "index": p.index,
            "width": p.size[0],
            "height": p.size[1],
            "x": coordinate(1000 * min(max(p.preview.time_s / span_s, 0.0), 1.0)) if span_s > 0 else "0",
            "strongest": p.index == best,
            "time": clock(p.preview.time_s),
        }
        for p in pictures
    ]


def strongest(pictures: Sequence[Picture]) -> int:
    """The preview with the strongest evidence, else the first."""

    def weight(picture: Picture) -> float:
        return max((heat.region.llr for heat in picture.heats), default=float("-inf"))

    return max(pictures, key=weight).index if pictures else 0
