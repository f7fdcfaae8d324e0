"""The originals and reports of a case on the disk: written beside their place, read only when they are what
the log knows, encrypted where the case is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haechi.case import atomic_io
from haechi.case.encryption import Key
from haechi.case.log_format import FOLDERS, PATH
from haechi.case.source import parts, suffix
from haechi.errors import CaseError

ORIGINALS, REPORTS = FOLDERS
_CHANGED = "A file of this case was changed: run `haechi case verify` to see which."


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that was written and waits for its record before it goes to ``path``."""

    unfinished: atomic_io.Unfinished
    path: str

    @property
    def facts(self) -> dict[str, Any]:
        return {"path": self.path, "sha256": self.unfinished.sha256, "size": self.unfinished.size}


class CaseFiles:
    """The files of one case; ``key``: of an encrypted one that was opened."""

    def __init__(self, folder: Path, key: Key | None) -> None:
        self._folder, self._key = folder, key

    def copy_original(
        self, stack: ExitStack, source: Path | bytes, minor: bool
    ) -> tuple[str, int, NewFile | None]:
        """SHA-256 and size of the source, and its copy: none of a minor's."""
        digest = hashlib.sha256()
        size = 0

        def passing() -> Iterator[bytes]:
            nonlocal size
            for part in parts(source):
                digest.update(part)
                size += len(part)
                yield part

        new = None
        if minor:
            for _ in passing():
                pass
        else:
            new = self.write(stack, ORIGINALS, passing(), suffix(source))
        return digest.hexdigest(), size, new

    def write(self, stack: ExitStack, where: str, parts: Iterable[bytes], suffix: str) -> NewFile:
        """A file of the case, encrypted if the case is, written and not in its place yet."""
        new = stack.enter_context(atomic_io.Unfinished(atomic_io.make_folder(self._folder / where)))
        new.write(parts if self._key is None else self._key.encrypt(parts))
        return NewFile(new, f"{where}/{new.sha256}.{'sealed' if self._key else suffix}")

    def read(self, path: str) -> Iterator[bytes]:
        """The plain bytes of a file of the case. Raises CaseError when it is not the one that the log
        knows."""
        match, digest = PATH.fullmatch(path), hashlib.sha256()
        if match is None or not atomic_io.is_folder((self._folder / path).parent):
            raise CaseError(_CHANGED)

        def passing() -> Iterator[bytes]:
            for part in atomic_io.pieces(self._folder / path):
                digest.update(part)
                yield part

        try:
            yield from passing() if self._key is None else self._key.decrypt(passing())
        except OSError as error:
            raise atomic_io.io_error("A file of the case cannot be read", error) from None
        if digest.hexdigest() != match[2]:
            raise CaseError(_CHANGED)
