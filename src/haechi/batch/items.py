"""What a source lists: files, each known by where it lies."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Item:
    """One file. path: absolute, with bytes that are no UTF-8 as ``os.fsdecode`` gives them · member: its
    name in the archive that lies at ``path``, else empty · offset: of the member in the archive, in bytes,
    since names may come twice · content: where its bytes lie while it is checked, None for ``path``."""

    path: str
    member: str = ""
    offset: int = 0
    content: Path | None = None

    @classmethod
    def at(cls, path: str | Path) -> Item:
        """The file at a path, relative ones from the current folder; ``..`` stays, for a link may stand
        before it."""
        return cls(str(Path(path).absolute()))

    @property
    def id(self) -> str:
        """32 hexadecimal digits, the same for the same place, whatever lies there."""
        parts = [os.fsencode(self.path)]
        if self.member:
            parts += [os.fsencode(self.member), str(self.offset).encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


#: Whether an item is to be handed over; asked once an item, before anything is done for it.
Wanted: TypeAlias = Callable[[Item], bool]


class Source(Protocol):
    """Where items come from."""

    def items(self, is_wanted: Wanted) -> Iterator[Item]:
        """Those of the items that are wanted. Raises UsageError, InputError when the source cannot be read
        on."""
        ...

    def count(self) -> int | None:
        """How many there are in all, as far as that can be known before they are read."""
        ...


def chosen(items: Iterator[Item], is_wanted: Wanted) -> Iterator[Item]:
    """``Source.items`` of a source that has nothing to do for an item."""
    return (item for item in items if is_wanted(item))
