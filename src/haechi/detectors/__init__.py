"""The detectors, made by their registry (``haechi.registry``). What of another package does not work is told
as failed evidence in every report: it costs no check, and is never silently left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haechi import registry
from haechi.errors import UsageError
from haechi.registry import Entry
from haechi.settings import Settings
from haechi.types import Detector, Evidence, FaceTrack, Media, Quality, Reason


def entries() -> tuple[Entry, ...]:
    """The shipped detectors in the order in which they run, then those of other packages."""
    return (*registry.DETECTORS, *registry.plugins(registry.DETECTOR_GROUP))


def build(settings: Settings, names: Sequence[str] | None = None) -> tuple[Detector, ...]:
    """All detectors, or those of these names, in their order. Raises UsageError for a name that none has, or
    for one that reads another which is not named, and ModelError when a shipped one lacks its model."""
    detectors: list[Detector] = []
    for entry in registry.chosen(entries(), names, "detector"):
        if entry.package == "haechi":
            detector: Detector = entry.load()(settings)
        else:
            detector = registry.of_plugin(entry, settings, BrokenDetector, _fault)
        missing = sorted(set(detector.needs) - {d.name for d in detectors})
        if missing and entry.package == "haechi":
            raise UsageError(f"The detector {entry.name!r} reads what {missing[0]!r} says: choose both.")
        detectors.append(detector if not missing else BrokenDetector(entry, "NeedsMissing"))
    return tuple(detectors)


def _fault(detector: Detector) -> str:
    return "" if isinstance(detector.needs, tuple) else "NeedsMissing"


@dataclass(frozen=True, slots=True)
class BrokenDetector:
    """In the place of another package's detector that cannot be made: it has failed, and says whose it is."""

    entry: Entry
    error: str
    version: str = "?"
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.entry.name

    def examine(
        self,
        media: Media,
        tracks: Sequence[FaceTrack],
        quality: Quality,
        prior: Mapping[str, Evidence],
    ) -> Evidence:
        params = {"detector": self.name, "package": self.entry.package, "error": self.error}
        return Evidence(self.name, self.version, "failed", None, Reason("plugin_failed", params))
