"""What Haechi looked at and what it did not: said in every report, because silence reads as clearance."""

from __future__ import annotations

from collections.abc import Mapping

from haechi.report.messages import catalogue, say, sentence
from haechi.types import Fact, Level, Report

LEVELS: tuple[Level, ...] = ("unknown", "none", "some", "strong")


def were_tested(report: Report, lang: str) -> list[str]:
    """A sentence for each examination that came to a finding."""
    lines = []
    for item in report.evidence:
        if item.status == "scored":
            code = f"tested_{item.detector}"
            has_sentence = code in catalogue(lang)
            lines.append(
                say(code, lang) if has_sentence else say("tested_other", lang, detector=item.detector)
            )
    return lines or [say("tested_nothing", lang)]


def not_tested(report: Report, lang: str) -> list[str]:
    """A sentence for each examination without a finding, then for everything that Haechi never looks at.
    Content credentials that were not read are told of among the first, with the reason."""
    silent = [(item.detector, item.reason) for item in report.evidence if item.status != "scored"]
    silent += [(claim.source, claim.reason) for claim in report.claims if claim.outcome != "answered"]
    lines = [
        say("not_tested_detector", lang, detector=name, why=sentence(reason, lang)) for name, reason in silent
    ]
    container = report.media.container
    frame_count, pages = frames_seen(report), container.get("frames", 1)
    sources = {claim.source for claim in report.claims}
    for topic in untested_topics(report):
        if topic == "provenance" and topic in sources:
            lines.append(say("not_tested_watermarks", lang))
        elif topic == "frames" and not frame_count:
            lines.append(say("not_tested_frames_some", lang))
        elif topic == "attached_video" and "attached_video_s" in container:
            seconds = container["attached_video_s"]
            lines.append(say("not_tested_attached_video_s", lang, seconds=seconds))
        else:
            more = container.get("further_pictures", 0)
            lines.append(say(f"not_tested_{topic}", lang, seen=frame_count, pages=pages, more=more))
    return lines


def untested_topics(report: Report) -> list[str]:
    """Short names of what is outside of every examination, most tempting to forget first."""
    video = report.media.kind == "video"
    answered = {claim.source for claim in report.claims if claim.outcome == "answered"}
    topics = ["context", "identity", "body", "background"]
    topics += ["audio"] if video else []
    pixels = report.media.container.get("format") == "pixels"
    topics += ["file"] if pixels else []
    topics += ["watermarks" if "provenance" in answered or pixels else "provenance"]
    return topics + (["frames"] if video else _besides(report.media.container))


def _besides(container: Mapping[str, Fact]) -> list[str]:
    """What a photograph's file holds besides the picture that was examined."""
    frames = container.get("frames", 1)
    topics = ["pages"] if isinstance(frames, int) and frames > 1 else []
    topics += ["moving"] if container.get("animated") else []
    return topics + [name for name in ("attached_video", "further_pictures", "gain_map") if name in container]


def frames_seen(report: Report) -> int:
    """At how many points in time a detector judged a face: fewer than those at which one was found."""
    all_series = (s for item in report.evidence if item.status == "scored" for s in item.series)
    return len({round(float(t), 3) for series in all_series for t in series.times_s})


def faces_line(report: Report, lang: str) -> str:
    """How many faces were found, how many of them some detector judged and, of several, those on which the
    most was found."""
    scored = (item for item in report.evidence if item.status == "scored")
    track_ids = {region.track_id for item in scored for region in item.regions}
    counts = say("ui_faces_line", lang, found=len(report.faces), judged=len(track_ids))
    levels = level_by_face(report)
    for level in ("strong", "some") if len(track_ids) > 1 else ():
        numbers = [str(face) for face, own in levels.items() if own == level]
        if numbers:
            faces = say("ui_sep", lang).join(numbers)
            counts = say(
                "ui_faces_named", lang, counts=counts, level=say(f"level_word_{level}", lang), faces=faces
            )
    return counts


def level_by_face(report: Report) -> Mapping[int, Level]:
    """The level of every face, the most suspicious first: the worst of the face as a whole and of its
    stretches in a video."""
    levels: dict[int, Level] = {face.track_id: face.level for face in report.verdict.faces}
    for part in report.verdict.segments:
        if LEVELS.index(part.level) > LEVELS.index(levels.get(part.track_id, "unknown")):
            levels[part.track_id] = part.level
    return dict(sorted(levels.items(), key=lambda item: -LEVELS.index(item[1])))
