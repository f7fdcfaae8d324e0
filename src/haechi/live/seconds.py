"""What each second shows of each person: the mean logit of a few crops, calibrated, and what the signs
measured.

Crops within a second are nearly the same picture, so their mean counts once; how far the seconds of one
person resemble each other is left to the thresholds of the sequential test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from haechi import models
from haechi.calibration import llr
from haechi.errors import UsageError
from haechi.faces import Sighting, Window
from haechi.live.evidence import SIGNS, Look
from haechi.live.people import People, Person
from haechi.live.picture import STILL_S
from haechi.models import Calibration
from haechi.pipeline import Pipeline
from haechi.quality import light, sharpness, turned
from haechi.types import F64, U8, FaceQuality, Frame, Reason, Scorer

NETWORKS = ("swap",)
"""Those that look at the crop which the stream keeps of each face, and are quick enough to be asked all the
time."""
SECOND_S, LEAST_CROPS, LONGEST_S = 1.0, 2, 3.0
"""A second ends after so long with at least so many crops; one that takes longer than LONGEST_S to gather
them is dropped."""
CROPS_A_SECOND, CROPS_OF_ALL = 4, 20
"""Crops that the networks are asked about, of one person and of all together; each gets at least one."""


@dataclass(frozen=True, slots=True)
class Second:
    """networks: calibrated likelihood ratios, in nats, above 0 for a forgery, by name · measures: of the
    signs that could be measured, by name, as ``evidence.SIGNS`` lists them."""

    person_id: int
    time_s: float
    networks: Mapping[str, float]
    measures: Mapping[str, F64]


def fingerprint(settings: Any) -> str:
    """Of all that a second is made of: weights and calibrations of the networks, and what the signs measure.
    The card ``live`` holds for the one that it was fitted with. Raises ModelError."""
    cards = [models.card(name, settings) for name in NETWORKS]
    facts = {card.name: [card.sha256, card.raw["calibration"]] for card in cards}
    return models.parameters_sha256({"networks": facts, "signs": {k: list(v) for k, v in SIGNS.items()}})


class Seconds:
    """Follows the people of a stream of frames and hands out their seconds as they end."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Raises ModelError when a model is missing or altered, UsageError when the pipeline lacks a network
        that is needed."""
        settings = pipeline.settings
        scorers = pipeline.scorers()
        if missing := [name for name in NETWORKS if name not in scorers]:
            raise UsageError(f"A call is watched with the detector {missing[0]}: do not leave it out.")
        self._scorers: Mapping[str, Scorer] = {name: scorers[name] for name in NETWORKS}
        self._calibrations: Mapping[str, Calibration] = {
            name: models.load(name, settings).card.needs_calibration() for name in NETWORKS
        }
        self._domain = models.load("verdict", settings).card.parameters["domain"]
        self._certain = models.load("face_check", settings).card.mark("certain_over_time")
        self._stream = pipeline.stream("video", Window())
        self._people = People()
        self.looks = 0

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who was seen a short while ago, by number."""
        return self._people.remembered

    def add(self, frame: Frame) -> list[Second]:
        """The next frame -> the seconds that it ends. Raises UsageError for one older than the one before."""
        now_s = frame.time_s
        sightings = self._stream.add(frame)
        present = self._people.see(sightings, now_s, self._stream.open_ids)
        ended = [second for person in self.people if (second := self._end(person, now_s)) is not None]
        rate = int(np.clip(CROPS_OF_ALL // max(len(sightings), 1), 1, CROPS_A_SECOND))
        grey = np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        crops: list[U8] = []
        asked_of: list[Person] = []
        for person, sighting in zip(present, sightings, strict=True):
            person.reason = self._problem(person, sighting, frame)
            due = now_s - person.asked_s >= 0.75 / rate
            count = len(next(iter(person.logits.values()), ()))
            if person.reason is None and sighting.crop is not None and due and count < max(rate, LEAST_CROPS):
                crops.append(sighting.crop)
                asked_of.append(person)
                person.signs.add(Look(grey, sighting.landmarks_xy))
        self._ask(crops, asked_of, now_s)
        return ended

    def _ask(self, crops: list[U8], people: list[Person], now_s: float) -> None:
        if not crops:
            return
        self.looks += len(crops)
        for name, scorer in self._scorers.items():
            logits = scorer.score(np.stack(crops)).logits
            for person, logit in zip(people, logits, strict=True):
                if not any(person.logits.values()):
                    person.began_s = now_s
                person.logits.setdefault(name, []).append(float(logit))
        for person in people:
            person.asked_s = now_s

    def _end(self, person: Person, now_s: float) -> Second | None:
        """The second of a person that is over, if one is."""
        count = len(next(iter(person.logits.values()), ()))
        lasts_s = now_s - person.began_s
        if not count or lasts_s < SECOND_S or (count < LEAST_CROPS and lasts_s <= LONGEST_S):
            return None
        logits, person.logits = person.logits, {}
        measures = person.signs.second()
        if count < LEAST_CROPS:
            return None
        quality = FaceQuality(person.person_id, person.face_px, 1.0, 1.0)
        networks = {
            name: float(llr(np.array([np.mean(values)]), quality, self._calibrations[name])[0])
            for name, values in logits.items()
        }
        return Second(person.person_id, now_s, networks, measures)

    def _problem(self, person: Person, sighting: Sighting, frame: Frame) -> Reason | None:
        """Why a face cannot be judged at the moment, by the same limits as in files; None where it can."""
        if person.stillness.seconds(frame.rgb, sighting.box_xyxy, frame.time_s) > STILL_S:
            return Reason("live_frozen", {"seconds": int(STILL_S)})
        if float(np.median(person.certainties)) < self._certain:
            return Reason("face_doubtful")
        if person.face_px < self._domain["min_face_px"]:
            about = {"face_px": round(person.face_px), "min_px": round(self._domain["min_face_px"])}
            return Reason("face_too_small", about)
        if turned(sighting.landmarks_xy):
            return Reason("extreme_pose")
        return None if sighting.crop is None else self._crop_problem(sighting.crop)

    def _crop_problem(self, crop: U8) -> Reason | None:
        if sharpness(crop) < self._domain["min_sharpness"]:
            return Reason("face_too_blurred")
        return Reason("too_dark") if light(crop) < self._domain["min_light"] else None
