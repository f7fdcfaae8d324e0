"""The pictures of the HTML report: each preview with faces framed and heat maps laid over it.

Every picture is stored once, in the hidden ``store`` of the page, and drawn by reference: large, as a
thumbnail, and without marks for print.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from haechi.report.markup import clock, esc, heat_uri, jpeg_uri, num, words
from haechi.report.messages import detector_name, say
from haechi.types import CLEAR_RATIO, Evidence, Preview, Region, Report

_CLEAR = float(np.log(CLEAR_RATIO))


@dataclass(frozen=True, slots=True)
class Face:
    """A face in one preview. box: x1, y1, x2, y2 in preview pixels; suspicious: evidence for manipulation."""

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
class Shown:
    """What one preview shows."""

    index: int
    preview: Preview
    faces: tuple[Face, ...]
    heats: tuple[Heat, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the preview in pixels."""
        return self.preview.rgb.shape[1], self.preview.rgb.shape[0]


def shown(report: Report) -> list[Shown]:
    """The previews in order of time with what belongs on each."""
    near_s = _near_s(report)
    previews = sorted(report.previews, key=lambda preview: preview.time_s)
    return [
        Shown(i, p, tuple(_faces(report, p, near_s)), tuple(_heats(report, p, near_s)))
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
            yield Face(track.track_id, box, _suspicious(report, track.track_id, preview.time_s, near_s))


def _suspicious(report: Report, track_id: int, time_s: float, near_s: float) -> bool:
    """Whether any detector that scored found clear evidence on this face, at this time if it says when."""
    for item in report.evidence:
        if item.status != "scored":
            continue
        here = [r.llr for r in item.regions if r.track_id == track_id and abs(r.time_s - time_s) <= near_s]
        here += [
            float(value)
            for series in item.series
            if series.track_id == track_id
            for at, value in zip(series.times_s, series.llr, strict=True)
            if abs(at - time_s) <= near_s
        ]
        if any(value >= _CLEAR for value in here):
            return True
    return False


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


def store(pictures: list[Shown]) -> str:
    """The hidden drawing that holds every picture once."""
    defs = "".join(
        f'<image id="px{p.index}" width="{p.size[0]}" height="{p.size[1]}" href="{jpeg_uri(p.preview.rgb)}"/>'
        for p in pictures
    )
    return (
        f'<svg class="store" aria-hidden="true" focusable="false"><defs>{defs}</defs></svg>' if defs else ""
    )


def rules(pictures: list[Shown], report: Report) -> str:
    """Style rules for this report: the shape of each stage, the place of each label, and what each check box
    hides. They stand in the page's one style sheet, because the page's policy forbids style attributes."""
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
            lines.append(f"#tag-{p.index}-{n} {{ left: {num(left)}%; top: {num(top)}%; }}")
    return "\n".join(lines)


def controls(report: Report, pictures: list[Shown], lang: str) -> str:
    """Check boxes and the slider. A heat map is on at first when its detector found something."""
    indices = sorted({heat.index for p in pictures for heat in p.heats})
    boxes = [
        f'<label><input type="checkbox" id="boxes" checked> {words("ui_boxes", lang)}</label>',
        *(_heat_switch(report.evidence[i], i, lang) for i in indices),
    ]
    if indices:
        ramp = "".join(
            f'<stop offset="{offset}" stop-color="{colour}"/>'
            for offset, colour in ((0.1, "#ffe25c"), (0.5, "#ee5c2a"), (1, "#7c0062"))
        )
        boxes.append(
            f'<label class="js-only">{words("ui_opacity", lang)} '
            '<input type="range" id="opacity" min="10" max="100" step="5" value="80"></label>'
            f'<span class="ramp">{words("ui_heat_weak", lang)} <svg aria-hidden="true" viewBox="0 0 60 7" '
            f'preserveAspectRatio="none"><linearGradient id="ramp">{ramp}</linearGradient>'
            f'<rect width="60" height="7" fill="url(#ramp)"/></svg> {words("ui_heat_strong", lang)}</span>'
        )
    return f'<fieldset class="tools"><legend>{words("ui_show", lang)}</legend>{"".join(boxes)}</fieldset>'


def _heat_switch(item: Evidence, index: int, lang: str) -> str:
    on = " checked" if item.status == "scored" and item.llr is not None and item.llr >= _CLEAR else ""
    label = words("ui_heat", lang, detector=item.detector)
    return f'<label><input type="checkbox" id="heat-{index}"{on}> {label}</label>'


def figure(picture: Shown, report: Report, lang: str) -> str:
    """One preview with its marks, and for print the same without."""
    width, height = picture.size
    i, video = picture.index, report.media.kind == "video"
    view = f'viewBox="0 0 {width} {height}"'
    heats = "".join(_heat_image(heat) for heat in picture.heats)
    boxes = "".join(_box(face) for face in picture.faces)
    tags = "".join(_tag(face, f"tag-{i}-{n}", lang) for n, face in enumerate(picture.faces))
    title = say("ui_frame_at", lang, time=clock(picture.preview.time_s)) if video else ""
    caption = f"<figcaption>{esc(title)}</figcaption>" if video else ""
    return (
        f'<figure class="frame" id="frame-{i}"><div class="pair"><div class="stage stage-{i}">'
        f'<svg {view} role="img" aria-label="{esc(_alt(picture, report, lang))}">'
        f'<use href="#px{i}"/>{heats}<g class="boxes">{boxes}</g></svg>{tags}</div>'
        f'<div class="stage stage-{i} print-only"><svg {view} aria-hidden="true"><use href="#px{i}"/></svg>'
        f"</div></div>{caption}</figure>"
    )


def _heat_image(heat: Heat) -> str:
    x1, y1, x2, y2 = heat.box
    map_ = heat.region.heatmap
    if map_ is None or x2 <= x1 or y2 <= y1:
        return ""
    return (
        f'<image class="heat heat-{heat.index}" x="{num(x1)}" y="{num(y1)}" width="{num(x2 - x1)}" '
        f'height="{num(y2 - y1)}" preserveAspectRatio="none" href="{heat_uri(map_)}"/>'
    )


def _box(face: Face) -> str:
    x1, y1, x2, y2 = face.box
    place = f'x="{num(x1)}" y="{num(y1)}" width="{num(max(x2 - x1, 0))}" height="{num(max(y2 - y1, 0))}"'
    return (
        f'<g class="{"for" if face.suspicious else "not"}"><rect class="halo" {place}/>'
        f'<rect class="line" {place}/></g>'
    )


def _tag(face: Face, ident: str, lang: str) -> str:
    """The label of a frame; inside it when the frame touches the top of the picture."""
    classes = "tag" + (" for" if face.suspicious else "") + (" in" if face.box[1] < 30 else "")
    label = f"{words('ui_face', lang)} {face.number}"
    return f'<span class="{classes}" id="{ident}" aria-hidden="true">{label}</span>'


def _alt(picture: Shown, report: Report, lang: str) -> str:
    """The picture in told: where each face is and whether anything was found on it."""
    media, time = report.media, clock(picture.preview.time_s)
    if media.kind == "video":
        told = [say("ui_alt_frame", lang, time=time)]
    else:
        told = [say("ui_alt_picture", lang, width=media.width_px, height=media.height_px)]
    for face in picture.faces:
        finding = say("ui_finding_for" if face.suspicious else "ui_finding_none", lang)
        where = say(f"pos_{_ninth(face.box, picture.size)}", lang)
        told.append(say("ui_alt_face", lang, face=face.number, where=where, finding=finding))
    if not picture.faces:
        told.append(say("ui_alt_noface", lang))
    if picture.heats:
        names = say("ui_sep", lang).join(
            dict.fromkeys(detector_name(report.evidence[heat.index].detector, lang) for heat in picture.heats)
        )
        told.append(say("ui_alt_heat", lang, detector=names))
    return " ".join(told)


def _ninth(box: tuple[float, float, float, float], size: tuple[int, int]) -> int:
    """In which ninth of the picture a box has its middle: 0 upper left to 8 lower right."""
    column, row = (
        min(max(int(3 * (low + high) / 2 / length), 0), 2)
        for low, high, length in ((box[0], box[2], size[0]), (box[1], box[3], size[1]))
    )
    return 3 * row + column


def thumbs(pictures: list[Shown], span_s: float, lang: str) -> str:
    """Links to the frames of a video: a small picture and its time. The script turns them into a choice."""
    if len(pictures) < 2:
        return ""
    best = strongest(pictures)
    items = []
    for p in pictures:
        width, height = p.size
        x = num(1000 * min(max(p.preview.time_s / span_s, 0.0), 1.0)) if span_s > 0 else "0"
        mark = " data-strongest" if p.index == best else ""
        time = clock(p.preview.time_s)
        items.append(
            f'<li><a href="#frame-{p.index}" data-x="{x}"{mark}><svg viewBox="0 0 {width} {height}" '
            f'aria-hidden="true" focusable="false" preserveAspectRatio="xMidYMid slice">'
            f'<use href="#px{p.index}"/></svg>'
            f'<span class="hidden">{words("ui_frame_at", lang, time=time)}</span>'
            f'<span aria-hidden="true">{time}</span></a></li>'
        )
    return f'<ol class="thumbs" role="list" aria-label="{words("ui_frames", lang)}">{"".join(items)}</ol>'


def strongest(pictures: list[Shown]) -> int:
    """The preview with the strongest evidence, else the first."""

    def weight(picture: Shown) -> float:
        return max((heat.region.llr for heat in picture.heats), default=float("-inf"))

    return max(pictures, key=weight).index if pictures else 0
