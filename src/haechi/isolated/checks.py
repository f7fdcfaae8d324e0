"""A check, asked for by the parent and done by the child. The report travels as ``haechi.report.archive``
stores it, which is read within limits: a child that was taken over can send a wrong report, and no more."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haechi.isolated.process import Process
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.pipeline import Pipeline, Progress
    from haechi.report import Report

TARGET = "haechi.isolated.checks:Checks"


@dataclass(frozen=True, slots=True)
class Kept:
    """A report as ``haechi.report.archive`` stores it, and the level of its verdict."""

    level: str
    data: bytes


class CheckProcess:
    """Checks files as ``haechi.pipeline.Pipeline`` does, in a process that holds the networks. ``Process``
    tells what is raised, and from which thread it may be asked."""

    def __init__(
        self, settings: Settings, *, scratch: Path | None = None, nice: int = 0, target: str = TARGET
    ) -> None:
        self._process = Process(target, settings, scratch=scratch, nice=nice)
        self.stop = self._process.stop

    @property
    def alive(self) -> bool:
        """Whether the child runs. It starts with the first check, and again with the next after its end."""
        return self._process.alive

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def warm(self, progress: Progress | None = None) -> None:
        """Start the child and let it load every network and judge a blank picture, so that the first file
        does not wait for either. Raises ModelError when a model is missing or altered."""
        self._process.ask({"warm": True}, progress or _silent)

    def kept(self, source: str | os.PathLike[str], name: str, progress: Progress | None = None) -> Kept:
        """The report of a file, with its previews, as it is to be stored; in it the file has this name."""
        request = {"path": os.fspath(source), "name": name, "previews": True}
        facts, data = self._process.ask(request, progress or _silent)
        return Kept(str(facts["level"]), data)

    def check(
        self, source: str | os.PathLike[str], progress: Progress | None = None, *, previews: bool = False
    ) -> Report:
        """The report of a file, less what ``keep`` leaves out."""
        from haechi.report import archive

        request = {"path": os.fspath(source), "previews": previews}
        _, data = self._process.ask(request, progress or _silent)
        return archive.load(data)


class Checks:
    """The child's half: a target of ``child``."""

    def __init__(self, settings: Settings, make: Callable[[Settings], Pipeline] | None = None) -> None:
        if make is None:
            from haechi.pipeline import Pipeline

            make = Pipeline
        # Anew after an error of the models, which may be repaired meanwhile.
        self._make, self._pipeline = partial(make, settings), make(settings)

    def answer(
        self, request: Mapping[str, Any], tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        from haechi.report import archive

        if "warm" in request:
            self._look(_blank(), tell)
            return {}, b""
        report = archive.bare(self.checked(request, tell))
        return {"level": report.verdict.level}, archive.dump(report)

    def checked(self, request: Mapping[str, Any], tell: Callable[[str, float], None]) -> Report:
        """The report of a request, whose media can still be read."""
        report = self._look(request["path"], tell, previews=request.get("previews", False))
        if "name" in request:
            report = replace(report, media=replace(report.media, name=request["name"]))
        return report

    def _look(
        self, source: str | bytes, tell: Callable[[str, float], None], *, previews: bool = False
    ) -> Report:
        from haechi.errors import ModelError

        try:
            return self._pipeline.check(source, tell, previews=previews)
        except ModelError:
            self._pipeline = self._make()
            raise


def _silent(_stage: str, _part: float) -> None:
    """The progress that nobody asked for."""


def _blank() -> bytes:
    """A picture of 64 x 64 px without anything on it."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64), (127, 127, 127)).save(out, "PNG")
    return out.getvalue()
