"""Who is on the screen: the tracks of a face stream, joined where a tile moved or the view jumped, and parted
where another face took the same place."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from haechi.faces import Sighting
from haechi.live.picture import TileStillness
from haechi.types import F32, U8, Reason

LOOK_PX = 16
SAME_LOOK = 0.8
"""Two crops whose coarse pictures correlate so well show one person. Of 22 clips of different people 1
pair in 500 does; of one person's crops a fifth of a second apart 19 in 20 do."""
OTHER_LOOK = 0.3
"""Two crops a moment apart that correlate less show different people: half of all pairs of people do, and of
one person's hardly any."""
LEAST_CONTRAST = 4.0
"""Of 255: a coarse picture that deviates less from its mean shows nothing by which to know anybody."""
SIGHTINGS = 10
"""Whether it is a face at all is the median over so many sightings, two seconds of them."""
REMEMBERED_S = 10.0
"""Who is away for longer is somebody new when they come back."""


@dataclass(slots=True, eq=False)
class Person:
    """One person. look f32 (n,): the coarse picture of the last crop, None before there is one · logits: of
    the crops of the second that is under way, by network · began_s: when it began."""

    person_id: int
    box_xyxy: F32
    last_s: float
    face_px: float = 0.0
    look: F32 | None = None
    reason: Reason | None = None
    began_s: float = 0.0
    asked_s: float = -np.inf
    certainties: deque[float] = field(default_factory=lambda: deque(maxlen=SIGHTINGS))
    logits: dict[str, list[float]] = field(default_factory=dict)
    stillness: TileStillness = field(default_factory=TileStillness)


def coarse_look(crop: U8) -> F32 | None:
    """u8 (S, S, 3) -> f32 (n,) of length 1, each colour's mean taken off: its product with another is their
    correlation. None of a crop that shows next to nothing, whose correlation would be that of noise."""
    small = cv2.resize(crop, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean((0, 1))
    length = float(np.linalg.norm(small))
    if length < LEAST_CONTRAST * np.sqrt(small.size):
        return None
    return np.asarray(small.ravel() / length, np.float32)


class People:
    """Numbers people in order of appearance, from 1, and knows them again for REMEMBERED_S."""

    def __init__(self) -> None:
        self._by_track: dict[int, Person] = {}
        self._everybody: dict[int, Person] = {}
        self._numbered = 0

    @property
    def remembered(self) -> tuple[Person, ...]:
        """By number."""
        return tuple(self._everybody.values())

    def see(self, sightings: Sequence[Sighting], time_s: float, open_ids: frozenset[int]) -> list[Person]:
        """The people of a frame, one for each sighting, in their order. ``open_ids``: tracks of the stream
        that go on."""
        self._everybody = {k: p for k, p in self._everybody.items() if time_s - p.last_s <= REMEMBERED_S}
        looks = [None if s.crop is None else coarse_look(s.crop) for s in sightings]
        people = [self._followed(s, look) for s, look in zip(sightings, looks, strict=True)]
        present = {id(p) for p in people if p is not None}
        tracks: dict[int, Person] = {}
        out: list[Person] = []
        for sighting, look, follow in zip(sightings, looks, people, strict=True):
            person = follow or self._again(look, present) or self._new(sighting)
            present.add(id(person))
            tracks[sighting.track_id] = person
            person.box_xyxy, person.last_s = sighting.box_xyxy, time_s
            person.face_px = float((sighting.box_xyxy[2:] - sighting.box_xyxy[:2]).min())
            person.certainties.append(sighting.certainty)
            person.look = person.look if look is None else look
            out.append(person)
        self._by_track = {k: p for k, p in self._by_track.items() if k in open_ids} | tracks
        return out

    def _followed(self, sighting: Sighting, look: F32 | None) -> Person | None:
        """Whom the stream followed to here, unless it is clearly somebody else."""
        person = self._by_track.get(sighting.track_id)
        if person is None or person.person_id not in self._everybody:
            return None
        if look is not None and person.look is not None and float(look @ person.look) < OTHER_LOOK:
            return None
        return person

    def _again(self, look: F32 | None, present: set[int]) -> Person | None:
        """Somebody who was seen a short while ago elsewhere, and is nowhere else now."""
        if look is None:
            return None
        away = [p for p in self._everybody.values() if id(p) not in present and p.look is not None]
        likeness = [(float(look @ p.look), p.person_id) for p in away if p.look is not None]
        best, person_id = max(likeness, default=(0.0, 0))
        return self._everybody[person_id] if best >= SAME_LOOK else None

    def _new(self, sighting: Sighting) -> Person:
        self._numbered += 1
        person = Person(self._numbered, sighting.box_xyxy, sighting.time_s)
        self._everybody[person.person_id] = person
        return person
