"""The frames of one challenge looked at in a process of their own: JPEGs from the wire go in, figures come
back. Nothing is kept between two challenges, so that a frame that stops the process costs one session
alone."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haechi.isolated.process import Process
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.types import U8
    from haechi.verify.recording import Recording

TARGET = "haechi.isolated.verifications:Verifications"


class VerificationProcess:
    """``Process`` tells what is raised, and that it has to be asked by one thread."""

    def __init__(self, settings: Settings, *, scratch: Path | None = None) -> None:
        self._process = Process(TARGET, settings, scratch=scratch)
        self.stop = self._process.stop

    def look(
        self, jpegs: Sequence[bytes], times_s: Sequence[float], kind: str, tell: Callable[[str, float], None]
    ) -> Recording:
        """What the frames of a challenge show. Raises InputError when one is no JPEG that can be read within
        the limits, ModelError when a model is missing or altered."""
        from haechi.verify.recording import from_bytes

        frames = [base64.b64encode(jpeg).decode("ascii") for jpeg in jpegs]
        request = {"frames": frames, "times_s": list(times_s), "kind": kind}
        return from_bytes(self._process.ask(request, tell)[1])


class Verifications:
    """The child's half: a target of ``child``."""

    def __init__(self, settings: Settings) -> None:
        from haechi.pipeline import Pipeline
        from haechi.verify.face_judge import FaceJudge

        self._settings, self._pipeline = settings, Pipeline(settings)
        self._judge = FaceJudge(self._pipeline)

    def answer(
        self, request: Mapping[str, Any], _tell: Callable[[str, float], None]
    ) -> tuple[Mapping[str, Any], bytes]:
        from haechi.faces import Window
        from haechi.verify.observe import observe
        from haechi.verify.recording import to_bytes

        stream = self._pipeline.stream("video", Window())
        recording = observe(self._frames(request), request["kind"], stream, self._judge)
        return {}, to_bytes(recording)

    def _frames(self, request: Mapping[str, Any]) -> Iterator[tuple[U8, float]]:
        from haechi.media.image import decode_image

        for jpeg, time_s in zip(request["frames"], request["times_s"], strict=True):
            rgb, _ = decode_image(base64.b64decode(jpeg), "jpeg", self._settings, {"format": "jpeg"})
            yield rgb, float(time_s)
