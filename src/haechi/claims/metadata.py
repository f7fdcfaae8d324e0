"""What cameras and programs wrote into the file: camera, software, traces of editing, marks of generators.

A claim in the sense of the standing rules: shown, never weighed. Anyone can write these notes, and most
messengers take them out. Never a place, a time or a person, and no text from which a picture was generated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haechi.claims.library import installed
from haechi.claims.notes import Notes
from haechi.claims.pictures import exif_texts
from haechi.claims.programs import kind_of, signed_by
from haechi.claims.prompts import is_settings, prompt_programs
from haechi.claims.sources import AI_CODES, label_fact, source_fact
from haechi.claims.subject import Subject
from haechi.claims.xmp import read_xmp
from haechi.media.exif import clean
from haechi.settings import Settings
from haechi.types import Claim, Reason

_MOST_FACTS, _MOST_PROGRAMS = 24, 6
_STEPS = frozenset({"saved", "edited", "converted", "derived"})
_SAYS_AI = AI_CODES | {"meta_generator", "meta_prompt", "meta_ai_system"}


class MetadataClaim:
    """Reads the notes of every format whose structure is known, and says so of the others."""

    name = "metadata"
    version = "1"

    def __init__(self, settings: Settings) -> None:
        """Nothing of the settings bears on it."""

    def state(self, subject: Subject) -> Claim:
        """Always a claim: that a file names nothing is worth saying too."""
        notes = subject.notes
        if not notes.readable:
            return Claim(self.name, self.version, Reason("metadata_format"), outcome="unread")
        facts = tuple({(f.code, *f.params.values()): f for f in _facts(notes)}.values())[:_MOST_FACTS]
        said = "metadata_says_ai" if any(f.code in _SAYS_AI for f in facts) else "metadata_found"
        reason = Reason(said if facts else "metadata_none")
        return Claim(self.name, self.version, reason, facts)


class _Found:
    """The notes of one file, by their names."""

    def __init__(self, notes: Notes) -> None:
        self.texts = [*notes.texts, *(pair for exif in notes.exif for pair in exif_texts(exif))]
        self._packets = [read_xmp(packet) for packet in notes.xmp]

    def text(self, *keys: str) -> list[str]:
        return [text for key, text in self.texts if key.casefold() in keys]

    def xmp(self, *names: str) -> list[str]:
        return [value for packet in self._packets for name in names for value in packet.get(name, ())]


def _facts(notes: Notes) -> Iterator[Reason]:
    """The most telling first."""
    found = _Found(notes)
    yield from _origin(found)
    generators = prompt_programs(
        [*found.texts, *(("comment", text) for text in found.xmp("exif:UserComment", "dc:description"))]
    )
    yield from (Reason("meta_prompt", {"program": name}) for name in generators)
    makes, models = (
        found.text("make") or found.xmp("tiff:Make"),
        found.text("model") or found.xmp("tiff:Model"),
    )
    yield from _camera(makes, models)
    named = [*found.text("software"), *found.xmp("xmp:CreatorTool", "tiff:Software")]
    named += map(signed_by, found.text("comment"))
    named += (text for text in found.xmp("photoshop:Credit") if kind_of(text) == "generator")
    yield from _programs([*named, *found.xmp("stEvt:softwareAgent")], skip=generators)
    steps = sum(action.strip() in _STEPS for action in found.xmp("stEvt:action"))
    if steps:
        yield Reason("meta_history", {"n": steps})
    if notes.passed_facebook:
        yield Reason("meta_facebook")
    if notes.c2pa and not installed():
        yield Reason("meta_c2pa")


def _origin(found: _Found) -> Iterator[Reason]:
    """What is said about how the file came about."""
    uris = found.xmp("iptc:DigitalSourceType", "iptc:DigitalSourceFileType")
    yield from filter(None, map(source_fact, uris))
    labels = [*found.text("aigc"), *found.xmp("tc260:AIGC")]
    labels += (text for text in found.text("comment") if '"AIGC"' in text[:2000])
    yield from filter(None, map(label_fact, labels))
    systems = (clean(name) for name in found.xmp("iptc:AISystemUsed"))
    yield from (Reason("meta_ai_system", {"program": name}) for name in systems if name)
    if any(text.strip("\x00 ").casefold() == "screenshot" for text in found.text("comment")):
        yield Reason("source_screen")  # as iPhones note it


def _camera(makes: Sequence[str], models: Sequence[str]) -> Iterator[Reason]:
    """Maker and model, the maker's name not said twice."""
    make, model = (next((clean(v) for v in values if not is_settings(v)), "") for values in (makes, models))
    first = make.split(" ")[0].casefold()
    camera = model if first and model.casefold().startswith(first) else f"{make} {model}".strip()
    if camera:
        yield Reason("meta_camera", {"camera": camera})


def _programs(names: Sequence[str], skip: Sequence[str]) -> Iterator[Reason]:
    """What each named program is for, as far as that is known."""
    shown: list[str] = []
    for name in names:
        program = "" if is_settings(name) else clean(name)
        told = program.casefold()
        if not program or told in shown or any(other.casefold() in told for other in skip):
            continue
        shown.append(told)
        if len(shown) > _MOST_PROGRAMS:
            return
        yield Reason(f"meta_{kind_of(program) or 'program'}", {"program": program})
