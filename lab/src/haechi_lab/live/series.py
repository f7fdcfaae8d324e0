"""What each second of a short call says, as `haechi live` would hear it: the series from which long ones are
drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haechi.faces import SEARCH_S
from haechi.live.fusion import Fusion
from haechi.live.seconds import Seconds
from haechi.pipeline import Pipeline
from haechi.types import F64, Frame
from haechi_lab.live.calls import Call

LEAST_SECONDS = 2
"""A face that was judged for less is not drawn from."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A second of one face. networks: calibrated ratios, nats · measures: of the signs f64 (n,); by name."""

    networks: Mapping[str, float]
    measures: Mapping[str, F64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A call and the seconds of every face in it, the longest series first."""

    call: Call
    people: tuple[tuple[Moment, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A call and the log-odds f64 (n,) of each second of every face in it."""

    call: Call
    people: tuple[F64, ...]

    @classmethod
    def of(cls, observation: Seen, fusion: Fusion) -> Heard:
        people = [
            np.array([fusion.log_odds(fusion.ratios(m.networks, m.measures)) for m in series])
            for series in observation.people
        ]
        return cls(observation.call, tuple(people))


def look(file: Path, calls: Sequence[Call], pipeline: Pipeline, log: Callable[[str], None]) -> list[Seen]:
    """Those of the calls in which a face was judged. What is seen is written to ``file``, a line a call, so
    that a run that was cut off goes on: its name must change with the networks and the signs."""
    lines = file.read_text().splitlines() if file.is_file() else []
    by_file: dict[str, list[list[dict[str, Any]]]] = dict(map(json.loads, lines))
    out: list[Seen] = []
    for number, call in enumerate(calls, 1):
        if call.file.name not in by_file:
            by_file[call.file.name] = [[_plain(m) for m in series] for series in _people(call, pipeline)]
            with file.open("a") as appended:
                appended.write(json.dumps([call.file.name, by_file[call.file.name]]) + "\n")
        if people := tuple(tuple(map(_moment, series)) for series in by_file[call.file.name]):
            out.append(Seen(call, people))
        if number % 100 == 0:
            log(f"{number} of {len(calls)} calls looked at")
    return out


def _plain(moment: Moment) -> dict[str, Any]:
    measures = {name: [round(float(v), 4) for v in values] for name, values in moment.measures.items()}
    return {"networks": dict(moment.networks), "measures": measures}


def _moment(plain: Mapping[str, Any]) -> Moment:
    return Moment(plain["networks"], {name: np.array(v) for name, v in plain["measures"].items()})


def _people(call: Call, pipeline: Pipeline) -> tuple[tuple[Moment, ...], ...]:
    watch = Seconds(pipeline)
    by_person: dict[int, list[Moment]] = {}
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
            by_person.setdefault(second.person_id, []).append(Moment(second.networks, second.measures))
    capture.release()
    series = [tuple(moments) for moments in by_person.values() if len(moments) >= LEAST_SECONDS]
    return tuple(sorted(series, key=len, reverse=True))
