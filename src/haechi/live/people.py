"""Who is on the screen: the tracks of a face stream, joined where a tile moved or the view jumped, and parted
where another face took the same place."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from haechi.faces import Sighting, iou
from haechi.live.evidence import Signs
from haechi.live.picture import TileStillness
from haechi.types import F32, U8, Reason

LOOK_PX = 16
SAME_LOOK = 0.8
"""Two crops whose coarse pictures correlate so well show one person. Of 22 clips of different people 1
pair in 500 does; of one person's crops a fifth of a second apart 19 in 20 do."""
SAME_PLACE_LOOK, SAME_PLACE = 0.5, 0.3
"""In the place where somebody was a moment ago, to an overlap of so much, less likeness is needed: who turns
away and back is not somebody new, with nothing against them. Of one person's crops a few seconds apart 19 in
20 correlate so well, of all pairs of people 3 in 20."""
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
    """One person. points_xy f32 (5, 2): the landmarks of the last sighting · look f32 (n,): the coarse
    picture of the last crop, None before there is one; ``earlier``: those of the last two seconds ·
    instead_of: the number of whoever was in the place before, 0 for nobody · logits: of the crops of the
    second that is under way, by network · began_s: when it began."""

    person_id: int
    box_xyxy: F32
    points_xy: F32
    last_s: float
    face_px: float = 0.0
    look: F32 | None = None
    earlier: deque[F32] = field(default_factory=lambda: deque(maxlen=SIGHTINGS))
    instead_of: int = 0
    reason: Reason | None = None
    began_s: float = 0.0
    asked_s: float = -np.inf
    certainties: deque[float] = field(default_factory=lambda: deque(maxlen=SIGHTINGS))
    logits: dict[str, list[float]] = field(default_factory=dict)
    stillness: TileStillness = field(default_factory=TileStillness)
    signs: Signs = field(default_factory=Signs)


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
            person = (follow and self._who_was_hidden(follow, look, present)) or follow
            person = person or self._again(look, sighting.box_xyxy, present) or self._new(sighting)
            present.add(id(person))
            tracks[sighting.track_id] = person
            person.box_xyxy, person.last_s = sighting.box_xyxy, time_s
            person.points_xy = sighting.landmarks_xy
            person.face_px = float((sighting.box_xyxy[2:] - sighting.box_xyxy[:2]).min())
            person.certainties.append(sighting.certainty)
            if look is not None:
                person.look = look
                person.earlier.append(look)
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

    def _who_was_hidden(self, person: Person, look: F32 | None, present: set[int]) -> Person | None:
        """Whoever a person took the place of, where the place looks again as it did: a hand had passed before
        the face, and nobody had changed."""
        before = self._everybody.get(person.instead_of)
        while before is not None and look is not None and id(before) not in present:
            if _likeness(look, before) >= SAME_PLACE_LOOK:
                return before
            before = self._everybody.get(before.instead_of)
        return None

    def _again(self, look: F32 | None, box_xyxy: F32, present: set[int]) -> Person | None:
        """Somebody who was seen a short while ago elsewhere, or here, and is nowhere else now."""
        if look is None:
            return None
        away = [p for p in self._everybody.values() if id(p) not in present and p.look is not None]
        likeness = [(float(look @ p.look), p.person_id) for p in away if p.look is not None]
        best, person_id = max(likeness, default=(0.0, 0))
        if best >= SAME_LOOK:
            return self._everybody[person_id]
        # The last crop before somebody was lost shows the hand that passed, or the head half turned.
        likeness = [
            (_likeness(look, p), p.person_id)
            for p in away
            if float(iou(box_xyxy[None], p.box_xyxy[None])[0, 0]) >= SAME_PLACE
        ]
        best, person_id = max(likeness, default=(0.0, 0))
        return self._everybody[person_id] if best >= SAME_PLACE_LOOK else None

    def _new(self, sighting: Sighting) -> Person:
        self._numbered += 1
        person = Person(self._numbered, sighting.box_xyxy, sighting.landmarks_xy, sighting.time_s)
        before = self._by_track.get(sighting.track_id)
        person.instead_of = 0 if before is None else before.person_id
        self._everybody[person.person_id] = person
        return person


def _likeness(look: F32, person: Person) -> float:
    """The correlation with the most alike of the last looks of a person."""
    return max((float(look @ one) for one in person.earlier), default=0.0)
