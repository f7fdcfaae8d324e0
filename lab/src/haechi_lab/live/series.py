"""What each second of a short call says, as `haechi live` would hear it: the series from which long ones are
drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from haechi.faces import SEARCH_S
from haechi.live.seconds import Seconds
from haechi.pipeline import Pipeline
from haechi.types import F64, Frame
from haechi_lab.live.calls import Call

LEAST_SECONDS = 2
"""A face that was judged for less is not drawn from."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A call and the log-odds f64 (n,) of each second of every face in it, the longest series first."""

    call: Call
    people: tuple[F64, ...]


def listen(file: Path, calls: Sequence[Call], pipeline: Pipeline, log: Callable[[str], None]) -> list[Heard]:
    """Those of the calls in which a face was judged. What is heard is written to ``file``, a line a call, so
    that a run that was cut off goes on: its name must change with the networks."""
    lines = file.read_text().splitlines() if file.is_file() else []
    series: dict[str, list[list[float]]] = dict(map(json.loads, lines))
    out: list[Heard] = []
    for number, call in enumerate(calls, 1):
        if call.file.name not in series:
            series[call.file.name] = [list(person) for person in _people(call, pipeline)]
            with file.open("a") as appended:
                appended.write(json.dumps([call.file.name, series[call.file.name]]) + "\n")
        if people := tuple(np.array(values) for values in series[call.file.name]):
            out.append(Heard(call, people))
        if number % 100 == 0:
            log(f"{number} of {len(calls)} calls looked at")
    return out


def _people(call: Call, pipeline: Pipeline) -> tuple[F64, ...]:
    watch = Seconds(pipeline)
    by_person: dict[int, list[float]] = {}
    capture = cv2.VideoCapture(str(call.file))
    fps = capture.get(cv2.CAP_PROP_FPS)
    number, searched_s = 0, -np.inf
    while True:
        ok, bgr = capture.read()
        if not ok:
            break
        time_s = number / fps
        number += 1
        if time_s - searched_s < SEARCH_S:
            continue
        searched_s = time_s
        rgb = np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)
        for second in watch.add(Frame(rgb, number - 1, time_s)):
            by_person.setdefault(second.person_id, []).append(second.log_odds)
    capture.release()
    series = [np.array(values) for values in by_person.values() if len(values) >= LEAST_SECONDS]
    return tuple(sorted(series, key=len, reverse=True))
