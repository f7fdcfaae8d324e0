"""The contact sheet of pseudo-fakes: one pseudo-fake of every family, beside the photograph it was made of.

Only faces that may be shown are on it: the photograph that is given (samples/astronaut.jpg), drawings of it
by the networks trained here, and faces of nobody by our own GAN. Faces of the training data never are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from haechi.errors import NotAFile, UnknownFormat, UsageError
from haechi.faces import cut
from haechi.types import F32, U8
from haechi_lab.data.prepare import mesh_crop, teacher_face
from haechi_lab.inputs import CROP_PX, crop_box
from haechi_lab.networks.autoencoder import AutoEncoder
from haechi_lab.pseudo_fakes import FAMILIES, Family
from haechi_lab.pseudo_fakes.generate_pools import redraw
from haechi_lab.pseudo_fakes.generator_pools import Nobody
from haechi_lab.pseudo_fakes.pair import Pair
from haechi_lab.pseudo_fakes.reconstruct import aligned
from haechi_lab.pseudo_fakes.synthetic_identity import alike, poses
from haechi_lab.pseudo_fakes.upsampled import upsampled
from haechi_lab.training.teachers import FaceMesh, Taef2, YuNet

EXAMPLES, SEED = 15, 3
"""So many examples of a family are made; of those that are blended in fully, the one is shown that changes
its picture as much as most do."""
WORK_PX, UP = 96, "shuffle"
"""How the autoencoders draw the face of the sheet."""
CELL_PX, TITLE_PX, GAP_PX, COLUMNS, TIMES = 144, 22, 10, 2, 4
HEADS = ("genuine", "pseudo-fake", "mask", f"difference x {TIMES}")


@dataclass(frozen=True, slots=True)
class Row:
    """One family on the sheet, with the sentence that says what it is."""

    name: str
    what: str
    pair: Pair


@dataclass(frozen=True, slots=True)
class Subject:
    """The photograph: ``rgb`` u8 (H, W, 3) and its reconstruction ``drawn``, of the same size; ``crop`` u8
    (CROP_PX, CROP_PX, 3) of the face, at ``square`` f32 (4,) xyxy of the picture, with its ``mesh``."""

    rgb: U8
    redrawing: U8
    crop: U8
    square: F32
    mesh: F32

    @staticmethod
    def open(picture: Path, weights: Path) -> Subject:
        """Raises NotAFile or UnknownFormat when it is no picture, UsageError when no face is found in it."""
        if not picture.is_file():
            raise NotAFile(f"there is no file {picture.name!r}: --picture names the photograph")
        bgr = cv2.imread(str(picture))
        if bgr is None:
            raise UnknownFormat(f"{picture.name!r} is no picture that can be read")
        rgb = aligned(np.ascontiguousarray(np.asarray(bgr, np.uint8)[:, :, ::-1]))
        face = teacher_face(YuNet(weights, 320), rgb)
        if face is None:
            raise UsageError(f"no face was found in {picture.name!r}")
        dense, area = mesh_crop(rgb, face[0])
        points, _ = FaceMesh(weights)(torch.from_numpy(dense[None]))
        in_picture = points[0].numpy() / 192 * (area[2:] - area[:2]) + area[:2]
        square = crop_box(face[0])
        mesh = (in_picture - square[:2]) / (square[2:] - square[:2]) * CROP_PX
        x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
        y = Taef2(weights)(x)[0].permute(1, 2, 0)
        redrawing = (y * 255).round().to(torch.uint8).numpy()
        return Subject(rgb, redrawing, cut(rgb, square, CROP_PX), square, mesh.astype(np.float32))

    def window(self, of: U8) -> U8:
        """CROP_PX a side of a picture of the same size around the face, its pixels as they are."""
        x, y = (
            int(np.clip((self.square[i] + self.square[i + 2] - CROP_PX) / 2, 0, max(n - CROP_PX, 0)))
            for i, n in ((0, of.shape[1]), (1, of.shape[0]))
        )
        return of[y : y + CROP_PX, x : x + CROP_PX]


def rows(subject: Subject, generators: Path) -> tuple[list[Row], list[str]]:
    """A row for every family that can be made, and one line for each that cannot. ``generators`` is where
    `train generators` left its networks and pools."""
    examples, missing = [], []
    for family in FAMILIES.values():
        if family.needs == "generated":
            continue  # its faces belong to the training data; gan_face shows the same with faces of our own
        try:
            draw = _maker(family, subject, generators)
        except UsageError as error:
            missing.append(f"{family.name}: {error}")
            continue
        examples.append(Row(family.name, family.what, _middle(draw)))
    examples += [
        _whole(
            subject,
            "redrawn, whole",
            "the whole picture as the same decoder draws it",
            lambda _: subject.redrawing,
        ),
        _whole(
            subject, "upsampled, whole", "the whole picture drawn up", lambda g: upsampled(subject.rgb, g)
        ),
    ]
    return examples, missing


def _whole(subject: Subject, name: str, what: str, draw: Callable[[np.random.Generator], U8]) -> Row:
    near, everywhere = subject.window(subject.rgb), np.ones((CROP_PX, CROP_PX), np.float32)
    return Row(name, what, _middle(lambda rng: Pair(near, subject.window(draw(rng)), everywhere)))


def _maker(family: Family, subject: Subject, generators: Path) -> Callable[[np.random.Generator], Pair]:
    """A function that makes examples of a family; raises UsageError when what it needs was not made."""
    function, crop, mesh = family.function, subject.crop, subject.mesh
    if family.needs is None:
        return lambda rng: function(crop, mesh, rng)
    if family.needs == "gan":
        own = Nobody.open(generators)
        faces, meshes = own.faces["train"], np.asarray(own.meshes["train"])
        if not len(faces):
            raise UsageError("the GAN's pool is empty")
        pool, pose = poses(meshes), poses(mesh[None])[0]

        def draw(rng: np.random.Generator) -> Pair:
            k = alike(pose, pool, rng)
            return function(crop, mesh, np.array(faces[k]), np.array(meshes[k]), rng)

        return draw
    redrawing = cut(subject.redrawing, subject.square, CROP_PX)
    if family.needs != "taef2":
        redrawing = redraw(_network(generators / family.needs / "checkpoint.pt"), crop, mesh, WORK_PX, UP)
    return lambda rng: function(crop, redrawing, mesh, rng)


def _network(checkpoint: Path) -> AutoEncoder:
    if not checkpoint.is_file():
        raise UsageError(f"no {checkpoint.parent.name}/{checkpoint.name}: haechi train generators makes it")
    network = AutoEncoder()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return network.eval()


def _middle(draw: Callable[[np.random.Generator], Pair]) -> Pair:
    pairs = [draw(np.random.default_rng([SEED, k])) for k in range(EXAMPLES)]
    pairs = [p for p in pairs if p.mask.max() > 0.9] or pairs
    pairs.sort(key=lambda p: float(cv2.absdiff(p.real, p.fake).mean()))
    return pairs[len(pairs) // 2]


def paint(sheet_rows: list[Row]) -> U8:
    """The sheet, u8 (H, W, 3): rows in COLUMNS columns, each under its name."""
    tall, wide = TITLE_PX + CELL_PX, len(HEADS) * CELL_PX
    lines = -(-len(sheet_rows) // COLUMNS)
    size = (TITLE_PX + lines * (tall + GAP_PX), COLUMNS * (wide + GAP_PX) + GAP_PX, 3)
    board = np.full(size, 255, np.uint8)
    for column in range(COLUMNS):
        left = GAP_PX + column * (wide + GAP_PX)
        for k, head in enumerate(HEADS):
            _write(board, head, left + k * CELL_PX, 15, (110, 110, 110))
    for n, row in enumerate(sheet_rows):
        top, left = TITLE_PX + n // COLUMNS * (tall + GAP_PX), GAP_PX + n % COLUMNS * (wide + GAP_PX)
        _write(board, f"{row.name}: {row.what}", left, top + 15, (0, 0, 0))
        pair = row.pair
        mask = np.repeat((pair.mask * 255).astype(np.uint8)[:, :, None], 3, 2)
        apart = np.minimum(cv2.absdiff(pair.real, pair.fake).astype(np.int32) * TIMES, 255).astype(np.uint8)
        for k, picture in enumerate((pair.real, pair.fake, mask, apart)):
            x, y = left + k * CELL_PX, top + TITLE_PX
            small = cv2.resize(picture, (CELL_PX - 2, CELL_PX - 2), interpolation=cv2.INTER_AREA)
            board[y : y + CELL_PX - 2, x : x + CELL_PX - 2] = small
            cv2.rectangle(board, (x, y), (x + CELL_PX - 3, y + CELL_PX - 3), (190, 190, 190), 1)
    return board


def _write(board: U8, text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    cv2.putText(board, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)


def write(picture: Path, weights: Path, generators: Path, out: Path) -> list[str]:
    """Write the sheet as a PNG to ``out``; returns a line for each family that is not on it."""
    sheet_rows, missing = rows(Subject.open(picture, weights), generators)
    out.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(".png", paint(sheet_rows)[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not ok:
        raise UsageError(f"{out.name!r} cannot be written as PNG")
    out.write_bytes(data.tobytes())
    return missing
