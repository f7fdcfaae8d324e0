"""What Haechi looked at and what it did not: said in every report, because silence reads as clearance."""

from __future__ import annotations

from haechi.report.messages import catalogue, say, sentence
from haechi.types import Report


def were_tested(report: Report, lang: str) -> list[str]:
    """A sentence for each examination that came to a finding."""
    lines = []
    for item in report.evidence:
        if item.status == "scored":
            code = f"tested_{item.detector}"
            known = code in catalogue(lang)
            lines.append(say(code, lang) if known else say("tested_other", lang, detector=item.detector))
    return lines or [say("tested_nothing", lang)]


def not_tested(report: Report, lang: str) -> list[str]:
    """A sentence for each examination without a finding, then for everything that Haechi never looks at."""
    lines = [
        say("not_tested_detector", lang, detector=item.detector, why=sentence(item.reason, lang))
        for item in report.evidence
        if item.status in ("abstained", "failed")
    ]
    seen = frames_seen(report)
    for topic in untested_topics(report):
        if topic == "frames" and not seen:
            lines.append(say("not_tested_frames_some", lang))
        else:
            lines.append(say(f"not_tested_{topic}", lang, seen=seen))
    return lines


def untested_topics(report: Report) -> list[str]:
    """Short names of what is outside of every examination, most tempting to forget first."""
    video = report.media.kind == "video"
    spoken_of = {item.detector for item in report.evidence if item.status in ("scored", "claim")}
    topics = ["context", "identity", "body", "background"]
    topics += ["audio"] if video else []
    topics += [] if "provenance" in spoken_of else ["provenance"]
    return topics + (["frames"] if video else [])


def frames_seen(report: Report) -> int:
    """At how many points in time a face was examined."""
    return len({round(float(t), 3) for track in report.faces for t in track.times_s})
