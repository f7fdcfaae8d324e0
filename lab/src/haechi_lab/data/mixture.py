"""Batches from packs: every source weighs the same whatever its size, and each fake stands beside a genuine
face of its own source, degraded by the same draw.

What a network could use to tell sources apart (sharpness, light, compression, framing) is thereby the same on
both sides of every pair, and only the forgery is left (standing rule 7 of the design).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haechi.errors import UsageError
from haechi.types import F32, U8
from haechi_lab.data import augment
from haechi_lab.data.corpus import origin
from haechi_lab.data.packs import Face, Pack
from haechi_lab.data.pairs import PAIRS, TWINS, Made, Strangers, collate, spoilt
from haechi_lab.pseudo_fakes import FAMILIES
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.training.loop import Batch

FAMILY_SHARES = {
    "self_blend": 0.26, "imitate_swap": 0.24, "generated_face": 0.22, "local_edit": 0.1, "expression": 0.1,
    "upsampled_face": 0.08,
}  # fmt: skip
BASE_SHARES = {"dfdc": 0.35, "openforensics": 0.3, "lfw": 0.12, "ffhq-stylegan1": 0.14, "gan1024": 0.06}
"""Which genuine source a pseudo-fake is made from; what is missing to 1 is shared by all others."""
SWAPS, BLENDED, GENERATED = 12, 4, 6
"""Pairs of a batch beside the PAIRS of pseudo-fakes: swaps with their originals, generated faces set into
photographs, faces generated as a whole."""
STRENGTH = 0.45
_CANDIDATES = 24


@dataclass(frozen=True, slots=True)
class Place:
    """A face: its pack and its line there."""

    pack: int
    line: int


class Mixture:
    """``batch``: x u8 (n, 224, 224, 3), y f32 (n,), mask f32 (n, 28, 28), known bool (n,),
    confounder f32 (n, 4); pseudo-fake pairs first, as ``train_swap.swap_loss`` wants them."""

    def __init__(
        self,
        packs: Sequence[Pack],
        without: Collection[str] = (),
        families: Mapping[str, float] = FAMILY_SHARES,
        split: str = "train",
    ) -> None:
        """``without``: sources that are left out, genuine and forged. Raises UsageError when nothing is
        left of a kind."""
        self.packs, self.without, self.split = packs, frozenset(map(origin, without)), split
        self._families, self._odds = list(families), np.array(list(families.values()))
        self._genuine: dict[str, list[Place]] = {}
        self._fakes: dict[str, dict[str, list[Place]]] = {"swap": {}, "blended": {}, "generated": {}}
        self._by_stem: dict[str, Place] = {}
        for place, face in self._own_faces():
            source = origin(face.source)
            if face.fake:
                self._fakes[face.kind].setdefault(source, []).append(place)
            else:
                self._genuine.setdefault(source, []).append(place)
                self._by_stem[face.file.rpartition("/")[2].partition(".")[0]] = place
        if not self._genuine or not any(self._fakes.values()):
            raise UsageError("the packs hold no genuine or no forged faces to train on: leave out less")
        self._base = {s: [p for p in places if self._has_mesh(p)] for s, places in self._genuine.items()}
        self._base = {s: places for s, places in self._base.items() if places}
        strangers = [p for places in self._fakes["generated"].values() for p in places if self._has_mesh(p)]
        self._strangers = self._gathered(strangers)

    @property
    def sources(self) -> list[str]:
        """Where the faces come from that batches are made of."""
        return sorted({origin(face.source) for _, face in self._own_faces()})

    def batch(self, _: int, rng: np.random.Generator) -> Batch:
        """The batch of a random state; its number does not matter."""
        pairs = self._pseudo_pairs(rng)
        for kind, count in (("swap", SWAPS), ("blended", BLENDED), ("generated", GENERATED)):
            by_source = self._fakes[kind] or next(fakes for fakes in self._fakes.values() if fakes)
            for source in rng.choice(sorted(by_source), count):
                places = by_source[str(source)]
                fake = places[int(rng.integers(len(places)))]
                real = self._beside(fake, str(source), rng)
                a, b = augment.frame([self._crop(real), self._crop(fake)], rng)
                pairs.append(spoilt(a, b, None, rng, STRENGTH))
        return collate(pairs, rng)

    def _own_faces(self) -> list[tuple[Place, Face]]:
        return [
            (Place(i, line), face)
            for i, pack in enumerate(self.packs)
            for line, face in enumerate(pack.faces)
            if face.split == self.split and origin(face.source) not in self.without
        ]

    def _crop(self, place: Place) -> U8:
        return np.asarray(self.packs[place.pack].crops[place.line])

    def _mesh(self, place: Place) -> F32:
        return np.asarray(self.packs[place.pack].mesh[place.line], np.float32)

    def _face(self, place: Place) -> Face:
        return self.packs[place.pack].faces[place.line]

    def _has_mesh(self, place: Place) -> bool:
        return bool(np.isfinite(self.packs[place.pack].mesh[place.line, 0, 0]))

    def _gathered(self, places: Sequence[Place]) -> Strangers | None:
        """Faces of nobody, from all generators at hand."""
        if not places:
            return None
        return Strangers([self._crop(p) for p in places], np.stack([self._mesh(p) for p in places]))

    def _pseudo_pairs(self, rng: np.random.Generator) -> list[Made]:
        """PAIRS of them; the last TWINS repeat the first, which are spoilt less."""
        pairs: list[Made] = []
        first: list[list[np.ndarray]] = []
        for k in range(PAIRS):
            if k < PAIRS - TWINS:
                family = str(rng.choice(self._families, p=self._odds / self._odds.sum()))
                _, pair = self.pseudo_fake(rng, family)
                first.append(augment.frame([pair.real, pair.fake, pair.mask], rng))
            real, fake, mask = first[k % (PAIRS - TWINS)]
            pairs.append(spoilt(real, fake, mask, rng, STRENGTH, clear=k < TWINS))
        return pairs

    def pseudo_fake(self, rng: np.random.Generator, family: str) -> tuple[Face, Pair]:
        """One of a family, made of a genuine face drawn by BASE_SHARES; that face, and the pair."""
        rest = max(0.0, 1.0 - sum(BASE_SHARES.get(s, 0.0) for s in self._base))
        others = [s for s in self._base if s not in BASE_SHARES]
        odds = np.array([BASE_SHARES.get(s, rest / max(1, len(others))) for s in self._base])
        source = str(rng.choice(list(self._base), p=odds / odds.sum()))
        place = self._base[source][int(rng.integers(len(self._base[source])))]
        rgb, mesh = self._crop(place), self._mesh(place)
        if FAMILIES[family].needs is None:
            return self._face(place), FAMILIES[family].function(rgb, mesh, rng)
        if self._strangers is None:
            return self._face(place), FAMILIES["self_blend"].function(rgb, mesh, rng)
        stranger = self._strangers.like(mesh, rng)
        return self._face(place), FAMILIES[family].function(rgb, mesh, *stranger, rng)

    def _beside(self, fake: Place, source: str, rng: np.random.Generator) -> Place:
        """The genuine face to set beside a fake: its original; else, of some of the same source (of any where
        it has none), the nearest in sharpness, light and size."""
        face = self._face(fake)
        if face.original and face.original in self._by_stem:
            return self._by_stem[face.original]
        places = self._genuine.get(source)
        pool = self._genuine[str(rng.choice(sorted(self._genuine)))] if places is None else places
        some = [pool[int(i)] for i in rng.integers(len(pool), size=_CANDIDATES)]
        return min(some, key=lambda p: _apart(self._face(p), face))


def _apart(a: Face, b: Face) -> float:
    """How unlike two faces are in what must not decide."""
    sharp = abs(np.log1p(a.sharpness) - np.log1p(b.sharpness))
    size = abs(np.log(max(a.face_px, 1.0) / max(b.face_px, 1.0)))
    return float(sharp + abs(a.light - b.light) / 40 + 0.5 * size)
