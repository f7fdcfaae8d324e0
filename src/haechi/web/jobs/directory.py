"""A folder that stays the one it was when it was opened, whatever is put in its place meanwhile."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from pathlib import Path

from haechi.errors import UsageError

NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_log = logging.getLogger("haechi.web")


class Directory:
    """Held by its handle where the system can do that (not Windows); no link in it is followed."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError when a link or a file is there, OSError."""
        self._path = path
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise UsageError(
                f"`{path.name}` in the data folder is a link or a file, so nothing in it is touched: remove "
                "it, or set HAECHI_DATA_DIR to a new folder."
            )
        by_handle = os.unlink in os.supports_dir_fd and os.scandir in os.supports_fd
        flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | NO_LINK
        self._handle = os.open(path, flags) if by_handle else None

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def names(self) -> list[str]:
        with os.scandir(self._path if self._handle is None else self._handle) as entries:
            return [entry.name for entry in entries]

    def is_file(self, name: str) -> bool:
        return self._is(name, stat.S_IFREG)

    def is_folder(self, name: str) -> bool:
        return self._is(name, stat.S_IFDIR)

    def modified_s(self, name: str) -> float:
        return self._stat(name).st_mtime

    def delete(self, name: str) -> None:
        """Delete a regular file when it is there. Raises OSError."""
        try:
            if self.is_file(name):
                os.unlink(self._at(name), dir_fd=self._handle)
        except FileNotFoundError:
            return

    def inner(self, name: str) -> Directory:
        return Directory(self._path / name)

    def remove_folder(self, name: str) -> None:
        """Raises OSError, also when something is in it."""
        os.rmdir(self._at(name), dir_fd=self._handle)

    def remove_tree(self, name: str) -> None:
        """Delete a folder with all that is in it, links in it and not what they lead to. What cannot be
        deleted is logged."""
        try:
            if self.is_folder(name):
                shutil.rmtree(self._at(name), dir_fd=self._handle)
        except OSError as error:
            _log.error("a folder that was left behind cannot be deleted (%s)", error.strerror)

    def _is(self, name: str, kind: int) -> bool:
        try:
            return stat.S_IFMT(self._stat(name).st_mode) == kind
        except FileNotFoundError:
            return False

    def _stat(self, name: str) -> os.stat_result:
        return os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)

    def _at(self, name: str) -> str:
        return name if self._handle is not None else str(self._path / name)


def mode_of(path: Path) -> int:
    """What is there itself, not what a link leads to; 0 for nothing."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0
