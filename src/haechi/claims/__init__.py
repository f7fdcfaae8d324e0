"""What a file, or a list, says about a file: shown beside the verdict, never weighed in it (standing rule 2).

The readers of claims, made by their registry (``haechi.registry``). What of another package does not work is
told as a failed claim in every report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haechi import registry
from haechi.claims.subject import ClaimReader, Subject
from haechi.registry import Entry
from haechi.settings import Settings
from haechi.types import Claim, Reason

__all__ = ["BrokenReader", "ClaimReader", "Subject", "build", "entries"]


def entries() -> tuple[Entry, ...]:
    """The shipped claims in the order in which they are shown, then those of other packages."""
    return (*registry.CLAIMS, *registry.plugins(registry.CLAIM_GROUP))


def build(settings: Settings, names: Sequence[str] | None = None) -> tuple[ClaimReader, ...]:
    """The readers of all claims, or of those of these names, in their order. Raises UsageError for a name
    that none has, and for a list in the settings that cannot be read."""
    readers: list[ClaimReader] = []
    for entry in registry.chosen(entries(), names, "claim"):
        if entry.package == "haechi":
            readers.append(entry.load()(settings))
        else:
            readers.append(registry.of_plugin(entry, settings, BrokenReader))
    return tuple(readers)


@dataclass(frozen=True, slots=True)
class BrokenReader:
    """In the place of another package's claim that cannot be made: it has failed, and says whose it is."""

    entry: Entry
    error: str
    version: str = "?"

    @property
    def name(self) -> str:
        return self.entry.name

    def state(self, subject: Subject) -> Claim:  # noqa: ARG002
        params = {"detector": self.name, "package": self.entry.package, "error": self.error}
        return Claim(self.name, self.version, Reason("plugin_failed", params), outcome="failed")
