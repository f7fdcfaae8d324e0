"""What cameras and programs wrote into the file: camera, software, traces of editing, marks of generators.

A claim in the sense of the standing rules: shown, never weighed. Anyone can write these notes, and most
messengers take them out. Never a place, a time or a person, but for the words that a picture was generated
from, which say what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haechi.claims.c2pa_library import installed
from haechi.claims.picture_metadata import exif_texts
from haechi.claims.programs import kind_of, signed_by
from haechi.claims.prompt_words import prompt_words
from haechi.claims.prompts import is_settings, prompt_settings
from haechi.claims.raw_metadata import RawMetadata
from haechi.claims.source_types import AI_CODES, label_fact, source_fact
from haechi.claims.subject import Subject
from haechi.claims.xmp import read_xmp
from haechi.media.exif import clean
from haechi.settings import Settings
from haechi.types import Claim, Reason

_MOST_FACTS, _MOST_PROGRAMS = 24, 6
_STEPS = frozenset({"saved", "edited", "converted", "derived"})
_SAYS_AI = AI_CODES | {"meta_generator", "meta_prompt", "meta_ai_system"}


class MetadataClaim:
    """Reads the metadata of every format whose structure is known, and says so of the others."""

    name = "metadata"
    version = "1"

    def __init__(self, settings: Settings) -> None:
        """Nothing of the settings bears on it."""

    def state(self, subject: Subject) -> Claim:
        """Always a claim: that a file names nothing is worth saying too."""
        metadata = subject.metadata
        if not metadata.readable:
            return Claim(self.name, self.version, Reason("metadata_format"), outcome="unread")
        facts = tuple({(f.code, *f.params.values()): f for f in _facts(metadata)}.values())[:_MOST_FACTS]
        code = "metadata_says_ai" if any(f.code in _SAYS_AI for f in facts) else "metadata_found"
        reason = Reason(code if facts else "metadata_none")
        return Claim(self.name, self.version, reason, facts)


class _Values:
    """The metadata of one file, by their names."""

    def __init__(self, metadata: RawMetadata) -> None:
        self.texts = [*metadata.texts, *(pair for exif in metadata.exif for pair in exif_texts(exif))]
        self._packets = [read_xmp(packet) for packet in metadata.xmp]

    def text(self, *keys: str) -> list[str]:
        return [text for key, text in self.texts if key.casefold() in keys]

    def xmp(self, *names: str) -> list[str]:
        return [value for packet in self._packets for name in names for value in packet.get(name, ())]


def _facts(metadata: RawMetadata) -> Iterator[Reason]:
    """The most telling first."""
    values = _Values(metadata)
    yield from _origin(values)
    settings = prompt_settings(
        [*values.texts, *(("comment", text) for text in values.xmp("exif:UserComment", "dc:description"))]
    )
    generators = list(dict.fromkeys(name for name, _, _ in settings))
    yield from (Reason("meta_prompt", {"program": name}) for name in generators)
    if words := prompt_words((key, text) for _, key, text in settings):
        yield Reason("meta_prompt_words", {"words": words})
    makes, models = (
        values.text("make") or values.xmp("tiff:Make"),
        values.text("model") or values.xmp("tiff:Model"),
    )
    yield from _camera(makes, models)
    programs = [*values.text("software"), *values.xmp("xmp:CreatorTool", "tiff:Software")]
    programs += map(signed_by, values.text("comment"))
    programs += (text for text in values.xmp("photoshop:Credit") if kind_of(text) == "generator")
    yield from _programs([*programs, *values.xmp("stEvt:softwareAgent")], skip=generators)
    steps = sum(action.strip() in _STEPS for action in values.xmp("stEvt:action"))
    if steps:
        yield Reason("meta_history", {"n": steps})
    if metadata.passed_facebook:
        yield Reason("meta_facebook")
    if metadata.c2pa and not installed():
        yield Reason("meta_c2pa")


def _origin(values: _Values) -> Iterator[Reason]:
    """What is said about how the file came about."""
    uris = values.xmp("iptc:DigitalSourceType", "iptc:DigitalSourceFileType")
    yield from filter(None, map(source_fact, uris))
    labels = [*values.text("aigc"), *values.xmp("tc260:AIGC")]
    labels += (text for text in values.text("comment") if '"AIGC"' in text[:2000])
    yield from filter(None, map(label_fact, labels))
    systems = (clean(name) for name in values.xmp("iptc:AISystemUsed"))
    yield from (Reason("meta_ai_system", {"program": name}) for name in systems if name)
    if any(text.strip("\x00 ").casefold() == "screenshot" for text in values.text("comment")):
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
    names_so_far: list[str] = []
    for name in names:
        program = "" if is_settings(name) else clean(name)
        plain = program.casefold()
        if not program or plain in names_so_far or any(other.casefold() in plain for other in skip):
            continue
        names_so_far.append(plain)
        if len(names_so_far) > _MOST_PROGRAMS:
            return
        yield Reason(f"meta_{kind_of(program) or 'program'}", {"program": program})
