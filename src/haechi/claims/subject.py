"""What a claim is given: the source as it was opened, the Media made of it, and the metadata in it."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from haechi.claims.picture_metadata import picture_metadata
from haechi.claims.raw_metadata import RawMetadata
from haechi.claims.video_metadata import video_metadata
from haechi.media.original import Original
from haechi.media.sniff import PICTURES
from haechi.types import Claim, Media


class Subject:
    """One source. Its metadata are looked for once, whoever asks first."""

    def __init__(self, original: Original, media: Media) -> None:
        self.original, self.media = original, media
        self.format = str(media.container.get("format", ""))

    @cached_property
    def metadata(self) -> RawMetadata:
        """Raises Changed when the source is no longer the one that was opened."""
        if isinstance(self.original.source, bytes) and self.format in PICTURES:
            return picture_metadata(self.original.source, self.format)
        with self.original.open() as file:
            if self.format in PICTURES:
                return picture_metadata(file.read(), self.format)
            return video_metadata(file, self.format)


class ClaimReader(Protocol):
    """One file in ``claims/``, which reads one kind of statement. What it raises becomes a ``failed`` Claim
    in ``check``."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...

    def state(self, subject: Subject) -> Claim | None:
        """What is said, under this name; None when it was not asked for."""
