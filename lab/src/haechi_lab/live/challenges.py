"""``haechi train challenges``: how often a challenge that is done is seen, and how often one is seen that
nobody did; writes ``results/live-challenges.json``.

Nobody was filmed doing them. Clips of people who talk are played as they are, and as if a camera were held in
the hand, for what fires by itself; and with the challenges drawn into them (``motions``), whole and by a
third, for what is seen. What is drawn goes through H.264 as calls do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from haechi.bench.result import write_json
from haechi.errors import UsageError
from haechi.faces import SEARCH_S, Window
from haechi.live.challenges import Challenges
from haechi.live.challenges.asking import BEFORE
from haechi.live.challenges.challenge import CHECKS
from haechi.live.people import People, Person
from haechi.live.types import ChallengeName, ChallengeState
from haechi.pipeline import Pipeline
from haechi.settings import Settings
from haechi.types import F32, U8, Frame
from haechi_lab.live.calls import found_points, read
from haechi_lab.live.genuine import code_as_call
from haechi_lab.live.motions import CALM_S, RATE, SHARES, perform
from haechi_lab.pseudo_fakes.clips import wander

SEED = 41
BITS = 0.15
"""Bits a pixel and frame: the middle of what calls have."""
HOW = "challenges drawn into clips of people who talk; nobody was filmed doing them"
CLIP_S, LONGEST_S = 8.0, 60.0
"""So much of a clip is what challenges are drawn into, and so much of it is looked at as it is."""
SHAKE, BREATHE = 0.03, 0.03
"""How far a camera in the hand moves, of the picture's side, and how much it nears and recedes."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A frame u8 (H, W, 3) in which faces were looked for, and everybody who is known then."""

    time_s: float
    rgb: U8
    people: Sequence[Person]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One of somebody who talks: frames u8 (H, W, 3), RATE a second, and the five points in each."""

    name: str
    frames: Sequence[U8]
    points: Sequence[F32]


def run(
    filmed: Path, results: Path, command: str, most: int, log: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measure with the clips (.mp4) of a folder; with the first ``most`` of them what is done. What was
    measured is written after each clip, so that a run that is cut off leaves the figures of fewer. Raises
    UsageError without any clip that shows a face."""
    pipeline = Pipeline(Settings(threads=1))
    tally = Tally()
    fields: dict[str, Any] = {}
    for number, file in enumerate(sorted(filmed.glob("*.mp4"))):
        clip = _clip(file)
        if clip is None:
            continue
        tally.at_rest("as they are", moments(*read(file, LONGEST_S), pipeline))
        if number < most:
            tally.at_rest("as by a camera in the hand", moments(recoded(_by_hand(clip)), RATE, pipeline))
            for name, (how, share) in product(CHECKS, SHARES.items()):
                rng = np.random.default_rng([SEED, *clip.name.encode(), *name.encode()])
                frames = recoded(perform(name, clip.frames, clip.points, share, rng))
                tally.performed(name, how, moments(frames, RATE, pipeline))
        tally.clips += 1
        log(f"{clip.name}: fired by itself {tally.fired}; seen {tally.counts}")
        fields = {"schema": "haechi.challenges/1", "command": command, "how": HOW, **tally.fields()}
        fields["created"] = datetime.now(UTC).isoformat(timespec="seconds")
        write_json(results / "live-challenges.json", fields)
    if not tally.clips:
        raise UsageError(f"No clip with a face lies in {filmed}: give a folder of .mp4 of people who talk")
    return fields


def _clip(file: Path) -> Clip | None:
    """As many of its frames as RATE asks for, in which a face is found; None where there are next to none."""
    frames, fps = read(file, CLIP_S)
    some = [frames[int(k)] for k in np.arange(0, len(frames), max(1.0, fps / RATE))]
    points = found_points(some, RATE)
    rows = [(rgb, at) for rgb, at in zip(some, points, strict=True) if at is not None]
    if len(rows) < RATE:
        return None
    usual = np.median([at.mean(0) for _, at in rows], 0)  # not somebody else, who is larger for a moment
    rows = [(rgb, at) for rgb, at in rows if np.linalg.norm(at.mean(0) - usual) < 3 * np.ptp(at[:, 0])]
    return Clip(file.stem, [rgb for rgb, _ in rows], [at for _, at in rows])


def moments(frames: Iterable[U8], rate: float, pipeline: Pipeline) -> list[Moment]:
    """What a call of these frames, ``rate`` a second, shows: of as many as a session searches."""
    stream, people = pipeline.stream("video", Window()), People()
    out: list[Moment] = []
    searched_s = -np.inf
    for number, rgb in enumerate(frames):
        time_s = number / rate
        if time_s - searched_s < SEARCH_S:
            continue
        searched_s = time_s
        people.see(stream.add(Frame(rgb, number, time_s)), time_s, stream.open_ids)
        out.append(Moment(time_s, rgb, [copy(p) for p in people.remembered]))
    return out


def recoded(frames: Sequence[U8]) -> list[U8]:
    """Frames, RATE a second, after H.264 as calls have it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "call.mp4"
        code_as_call(frames, file, RATE, BITS)
        return list(_coded(file))


def _coded(file: Path) -> Iterator[U8]:
    capture = cv2.VideoCapture(str(file))
    while True:
        ok, bgr = capture.read()
        if not ok:
            break
        yield np.ascontiguousarray(bgr[:, :, ::-1], np.uint8)
    capture.release()


def asked(name: ChallengeName, of: Sequence[Moment], begin: int) -> tuple[ChallengeState | None, int]:
    """Ask whoever has the largest face for a challenge after ``begin`` moments: how it ended, None where
    nobody was there, and the moment in which it did."""
    challenges = Challenges(Random(SEED))
    for m in of[max(0, begin - BEFORE) : begin]:
        challenges.see(m.rgb, m.time_s, m.people)
    here = [p for p in of[begin - 1].people if p.last_s == of[begin - 1].time_s]
    largest = max(here, key=lambda p: p.face_px, default=None)
    if largest is None or not challenges.ask(largest.person_id, of[begin - 1].time_s, name):
        return None, begin
    state = None
    for k in range(begin, len(of)):
        challenges.see(of[k].rgb, of[k].time_s, of[k].people)
        state = challenges.state(of[k].time_s)
        if state is not None and state.status in ("done", "not_seen"):
            return state, k
    return state, len(of) - 1


def _by_hand(clip: Clip) -> list[U8]:
    rng = np.random.default_rng([SEED, *clip.name.encode()])
    count = len(clip.frames)
    moves = [wander(rng, count, RATE, 0.1, 1.5) * SHAKE for _ in "xyz"]
    out: list[U8] = []
    for k, rgb in enumerate(clip.frames):
        h, w = rgb.shape[:2]
        m = cv2.getRotationMatrix2D(
            (w / 2, h / 2), float(moves[2][k]) * 60, 1 + float(moves[2][k] / SHAKE) * BREATHE
        )
        m[:, 2] += (moves[0][k] * w, moves[1][k] * h)
        out.append(np.asarray(cv2.warpAffine(rgb, m, (w, h), borderMode=cv2.BORDER_REFLECT_101), np.uint8))
    return out


_PERFORMED = ("done: seen", "a third of it done: taken for done", "another one done: taken for it")


class Tally:
    """What was seen so far."""

    def __init__(self) -> None:
        self.clips = 0
        self.fired: dict[str, dict[str, int]] = {}
        self.minutes: dict[str, float] = {}
        self.counts: dict[str, dict[str, int]] = {}

    def at_rest(self, how: str, of: Sequence[Moment]) -> None:
        """A call in which nobody does anything: each check is asked for again and again."""
        if len(of) < 5:
            return
        fired = self.fired.setdefault(how, dict.fromkeys(CHECKS, 0))
        self.minutes[how] = self.minutes.get(how, 0.0) + (of[-1].time_s - of[2].time_s) / 60
        for name in CHECKS:
            at = 3
            while at < len(of) - 3:
                state, at = asked(name, of, at)
                fired[name] += state is not None and state.status == "done"
                at += 1

    def performed(self, name: ChallengeName, how: str, of: Sequence[Moment]) -> None:
        """A call in which somebody does it: what each check says, had it been asked for."""
        begin = round(RATE * (CALM_S - 0.4))
        counts = self.counts.setdefault(f"{name}, {how}", {"clips": 0, **dict.fromkeys(CHECKS, 0)})
        counts["clips"] += 1
        for check in CHECKS:
            state, _ = asked(check, of, begin)
            counts[check] += state is not None and state.status == "done"

    def fields(self) -> dict[str, Any]:
        """As the result holds it."""
        minutes = {how: round(value, 2) for how, value in self.minutes.items()}
        return {
            "clips": self.clips,
            "minutes": minutes,
            "fired": self.fired,
            "performed": self.counts,
            "table": {
                "columns": [
                    "asked for", *(_PERFORMED if self.counts else ()),
                    *(f"nobody did anything, {how}: taken for done" for how in minutes),
                ],
                "rows": [self._row(name) for name in CHECKS],
            },
        }  # fmt: skip

    def _row(self, name: ChallengeName) -> list[str]:
        cells: list[str] = [name]
        if self.counts:
            others = [counts for key, counts in self.counts.items() if not key.startswith(f"{name},")]
            cells += [self._of(self.counts.get(f"{name}, {how}", {}), name) for how in SHARES]
            cells.append(f"{sum(c[name] for c in others)} of {sum(c['clips'] for c in others)}")
        for how, minutes in self.minutes.items():
            count = self.fired[how][name]
            most = poisson_upper(count) / max(minutes, 1e-9)
            cells.append(f"{count} in {minutes:.1f} min (at most {most:.1f} a minute)")
        return cells

    @staticmethod
    def _of(counts: Mapping[str, int], name: str) -> str:
        return f"{counts.get(name, 0)} of {counts.get('clips', 0)}"


def poisson_upper(count: int) -> float:
    """The exact upper bound (95%, one-sided) of a Poisson mean of which ``count`` came: the mean at which so
    few come one time in twenty."""
    low, high = float(count), count + 10.0 * (1 + count**0.5)
    for _ in range(60):
        mean = (low + high) / 2
        term = total = float(np.exp(-mean))
        for k in range(1, count + 1):
            term *= mean / k
            total += term
        low, high = (mean, high) if total > 0.05 else (low, mean)
    return high
