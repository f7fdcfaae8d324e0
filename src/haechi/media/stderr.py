"""Keeps what libraries of C write to the terminal from getting there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Stderr:
    """File descriptor 2, put aside while anybody is within."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._inside = 0
        self._descriptor = -1

    def enter(self) -> None:
        with self._guard:
            self._inside += 1
            if self._inside > 1:
                return
            try:
                self._descriptor = os.dup(2)
            except OSError:  # a process without a standard error has nothing to be kept quiet
                self._descriptor = -1
                return
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)

    def leave(self) -> None:
        with self._guard:
            self._inside -= 1
            if self._inside == 0 and self._descriptor >= 0:
                os.dup2(self._descriptor, 2)
                os.close(self._descriptor)
                self._descriptor = -1


_stderr = _Stderr()


@contextmanager
def without_stderr() -> Iterator[None]:
    """Within it, what is written to file descriptor 2 goes nowhere: libtiff and others tell damage there,
    past Python, in words that would end up among a server's log. The errors themselves are raised all the
    same. May be entered by several threads; the last one out restores the descriptor."""
    _stderr.enter()
    try:
        yield
    finally:
        _stderr.leave()
