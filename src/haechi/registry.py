"""The detectors and the claims: those that ship, one line each, and those of other packages, which bring an
entry point. Nothing of either is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from haechi.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DETECTOR_GROUP, CLAIM_GROUP = "haechi.detectors", "haechi.claims"


@dataclass(frozen=True, slots=True)
class Entry:
    """``target``: MODULE:CLASS of something that is made of ``Settings`` and is called ``name``. has_card: a
    model of this name ships, without which no verdict is given. package: whose it is."""

    name: str
    target: str
    has_card: bool = False
    package: str = "haechi"

    def load(self) -> Callable[[Any], Any]:
        """The class. Raises whatever its module raises."""
        module, _, name = self.target.partition(":")
        factory: Callable[[Any], Any] = getattr(import_module(module), name)
        return factory


DETECTORS = (
    Entry("swap", "haechi.detectors.swap:SwapDetector", has_card=True),
    Entry("synthesis", "haechi.detectors.synthesis:SynthesisDetector", has_card=True),
    Entry("flicker", "haechi.detectors.flicker:FlickerDetector", has_card=True),
)
"""In the order in which they run: who reads another's evidence stands behind it."""

CLAIMS = (
    Entry("provenance", "haechi.claims.provenance:ProvenanceClaim"),
    Entry("metadata", "haechi.claims.metadata:MetadataClaim"),
    Entry("known", "haechi.claims.known_files:KnownClaim"),
)
"""In the order in which they are shown."""


def plugins(group: str) -> tuple[Entry, ...]:
    """Those of other packages, by name. One that has the name of a shipped detector or claim, or of another
    package's, gets that of its package in front, so that it can pass for nobody else."""
    from importlib.metadata import entry_points  # not before it is needed: `import haechi` is quick

    shipped = {entry.name for entry in (*DETECTORS, *CLAIMS)}
    by_name: dict[str, Entry] = {}
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        package = _package(point)
        name = point.name if point.name not in {*shipped, *by_name} else f"{package}.{point.name}"
        by_name[name] = Entry(name, point.value, package=package)
    return tuple(by_name.values())


def chosen(entries: Sequence[Entry], names: Sequence[str] | None, kind: str) -> list[Entry]:
    """Those that are named, in the order of their list; all when ``names`` is None. Raises UsageError for a
    name that none has."""
    available = [entry.name for entry in entries]
    for name in names or ():
        if name not in available:
            raise UsageError(f"There is no {kind} {name!r}: choose from {', '.join(available)}.")
    return [entry for entry in entries if names is None or entry.name in names]


def of_plugin(
    entry: Entry,
    settings: object,
    broken: Callable[[Entry, str], Any],
    fault: Callable[[Any], str] = lambda _: "",
) -> Any:
    """What the entry of another package makes of the settings. Where that fails, has another name, or where
    ``fault`` finds one, what ``broken`` makes stands in its place: told in every report, never left out."""
    try:
        plugin = entry.load()(settings)
        fits = plugin.name == entry.name and isinstance(plugin.version, str)
        error = fault(plugin) if fits else "NameDiffers"
    except Exception as failure:  # of somebody else's code, whatever it is
        error = type(failure).__name__
    return broken(entry, error) if error else plugin


def _package(point: EntryPoint) -> str:
    return "?" if point.dist is None else str(point.dist.name)
