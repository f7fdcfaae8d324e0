"""The files in a tar, compressed or not, one after another; none is written under the name that it has
there."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from haechi.batch.items import Item, Wanted
from haechi.errors import DamagedFile, NotAFile

_CHUNK = 1024 * 1024
_BROKEN = (tarfile.TarError, OSError, EOFError, ValueError)
"""What damaged archives raise, compressed ones too; ``zlib.error`` and ``lzma.LZMAError`` come as
``ReadError``."""


class Tar:
    """Each wanted member is copied to ``scratch``, which must be there, for as long as it is checked. One
    larger than ``most_bytes`` is copied as far as that and a byte: its check says that it is too large."""

    def __init__(self, path: Path, scratch: Path, most_bytes: int) -> None:
        self._path, self._scratch, self._most_bytes = path, scratch, most_bytes

    def items(self, is_wanted: Wanted) -> Iterator[Item]:
        place, count = str(self._path.absolute()), 0
        try:
            # As a stream: a compressed one cannot be gone back in.
            with tarfile.open(self._path, "r|*") as tar:
                for member in _members(tar):
                    if not member.isreg():
                        continue
                    item = Item(place, member.name, member.offset)
                    if is_wanted(item):
                        file = tar.extractfile(member)
                        assert file is not None
                        yield Item(place, member.name, member.offset, self._copy(file))
                    count += 1
        except _BROKEN as error:
            raise DamagedFile(
                f"The archive cannot be read on after {count} files ({type(error).__name__}): it may be cut "
                "off; copy it anew, then start the same command again."
            ) from None

    def count(self) -> int | None:
        """None for a compressed one, which would have to be read to its end."""
        try:
            with tarfile.open(self._path, "r:") as tar:
                return sum(member.isreg() for member in _members(tar))
        except _BROKEN:
            return None

    def _copy(self, file: IO[bytes]) -> Path:
        left = self._most_bytes + 1
        with tempfile.NamedTemporaryFile(dir=self._scratch, prefix="member-", delete=False) as copy:
            while left and (piece := file.read(min(_CHUNK, left))):
                copy.write(piece)
                left -= len(piece)
        return Path(copy.name)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Each member, of which the archive's own list would grow with it."""
    for member in tar:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]


def is_tar(path: Path) -> bool:
    """Whether a file is a tar, by its content. Raises NotAFile when it cannot be read."""
    try:
        return tarfile.is_tarfile(path)
    except OSError as error:
        raise NotAFile(f"The source cannot be read ({error.strerror}): check its permissions.") from None
