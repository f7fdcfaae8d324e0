"""Targets of child processes for tests (see ``haechi.isolated.child``): what a file makes of the process."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import fakes
from haechi.batch.worker import Rows
from haechi.case.fingerprints import FingerprintChild
from haechi.pipeline import Pipeline
from haechi.settings import Settings

HEAD = b"\x89PNG\r\n\x1a\n"
SEGFAULT, HANG, EAT, LEAVE = HEAD + b"segfault", HEAD + b"hang", HEAD + b"eat", HEAD + b"leave"
#: Known as a video by its first bytes.
LONG_VIDEO = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"hang"


def unsteady(settings: Settings) -> Unsteady:
    return Unsteady(settings)


def slow(settings: Settings) -> Slow:
    return Slow(settings)


def prints_that_die(settings: Settings) -> PrintsThatDie:
    return PrintsThatDie(settings)


def rows(settings: Settings) -> UnsteadyRows:
    return UnsteadyRows(settings, lambda told: Pipeline(told, finder=fakes.finder, judges=fakes.judges()))


class PrintsThatDie(FingerprintChild):
    """Fingerprints as they are made, but for a file that ends the process like a broken decoder."""

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        file = Path(request["path"])
        data = file.read_bytes() if file.is_file() else b""
        if data == SEGFAULT:
            os.kill(os.getpid(), signal.SIGSEGV)
        if data == LEAVE:
            return {}, b'{"kind": "somebody else"}'
        return super().answer(request, tell)


def befall(data: bytes, tell: Callable[[str, float], None]) -> None:
    """What files of these contents do to the process that looks at them."""
    if data == SEGFAULT:
        os.kill(os.getpid(), signal.SIGSEGV)
    if data in (HANG, LONG_VIDEO):
        tell("faces", 0.25)
        time.sleep(600)
    if data == EAT:
        np.ones(4 * 1024**3, np.uint8)


class UnsteadyRows(Rows):
    """Rows by the stages of ``fakes``, a hundredth of a second each; files of some contents say otherwise."""

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        file = Path(request["path"])
        data = file.read_bytes() if file.is_file() else b""
        befall(data, tell)
        if data == LEAVE:
            return {}, b'{"verdict": "somebody else"}'
        time.sleep(0.01)
        return super().answer(request, tell)


class Slow:
    """The stages of ``fakes``, which take their time; a file with the word POISON ends the process."""

    def __init__(self, settings: Settings) -> None:
        self._checks = fakes.checks(settings)

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        if "path" in request:
            time.sleep(0.02)
            if b"POISON" in Path(request["path"]).read_bytes():
                os._exit(9)
        return self._checks.answer(request, tell)


class Unsteady:
    """The stages of ``fakes``, but for files that say something else."""

    def __init__(self, settings: Settings) -> None:
        self._checks = fakes.checks(settings)

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        file = Path(request.get("path", ""))
        data = file.read_bytes() if file.is_file() else b""
        befall(data, tell)
        if data == LEAVE:
            handle, name = tempfile.mkstemp()
            os.close(handle)
            return {"level": name}, b""
        if data == HEAD + b"environment":
            return {"level": " ".join(os.environ)}, b""
        return self._checks.answer(request, tell)
