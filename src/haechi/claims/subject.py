"""What a claim is given: the source as it was opened, the Media made of it, and the notes found in it."""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from haechi.claims.notes import Notes
from haechi.claims.pictures import picture_notes
from haechi.claims.videos import video_notes
from haechi.media.original import Original
from haechi.media.sniff import PICTURES
from haechi.types import Claim, Media


class Subject:
    """One source. Its notes are looked for once, whoever asks first."""

    def __init__(self, original: Original, media: Media) -> None:
        self.original, self.media = original, media
        self.format = str(media.container.get("format", ""))

    @cached_property
    def notes(self) -> Notes:
        """Raises Changed when the source is no longer the one that was opened."""
        if isinstance(self.original.source, bytes) and self.format in PICTURES:
            return picture_notes(self.original.source, self.format)
        with self.original.open() as file:
            if self.format in PICTURES:
                return picture_notes(file.read(), self.format)
            return video_notes(file, self.format)


class ClaimReader(Protocol):
    """One file in ``claims/``, which reads one kind of statement. What it raises becomes a ``failed`` Claim
    in ``check``."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...

    def state(self, subject: Subject) -> Claim | None:
        """What is said, under this name; None when it was not asked for."""
