"""The uploads that wait to be checked, each under the identifier of its job, gone as soon as that ended."""

from __future__ import annotations

import logging
from pathlib import Path

from haechi.web.jobs.data_folder import DataFolder

_log = logging.getLogger("haechi.web")


class Originals:
    """What cannot be deleted at once is tried again by every ``retry``: neither the job nor those after it
    depend on that."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._undeleted: set[str] = set()

    def path(self, id_: str) -> Path:
        """Where the upload of a job lies."""
        return self._folder.original(id_)

    def delete(self, id_: str) -> None:
        """Delete the upload of a job that has ended."""
        try:
            self._folder.delete(self.path(id_))
            self._undeleted.discard(id_)
        except OSError as error:
            if id_ not in self._undeleted:
                _log.error("an upload cannot be deleted (%s): tried again every few seconds", error.strerror)
            self._undeleted.add(id_)

    def retry(self) -> None:
        """Try again what could not be deleted."""
        for id_ in tuple(self._undeleted):
            self.delete(id_)
