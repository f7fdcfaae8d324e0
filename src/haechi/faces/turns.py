"""Faces that are shown turned: from a quarter turn of a picture back to it, and straight by any angle.

A face's turn is the angle in degrees, clockwise, by which it is away from upright. It is exactly a multiple
of 90 for faces that are judged as they stand in a quarter turn of the picture, which loses nothing; only
beyond FREE_DEG is the turn another number, and the crop resampled along it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from haechi.faces.detections import Detections, join, take
from haechi.faces.network import FinderNetwork
from haechi.faces.second_look import SecondLook, roll_of
from haechi.types import F32, F64, U8

FREE_DEG = 22.0
"""A roll that the networks' training pictures had too, and that stays in the crop."""
ASKED_DEG = 15.0
"""Landmarks of a rolled face lean towards upright: beyond this its true roll, up to twice it, is asked."""
STRAIGHT_PX, STRAIGHT_FACE_PX = 320, 110
"""A rolled face is found again, upright, at this size in a board of that size."""
LEAST_SCORE = 0.2
STRAIGHT_TRIES, SETTLED_DEG = 3, 6.0
"""Landmarks of a rolled face lean towards upright: the rest shows when the roll was taken out in part."""
STAY_VOTE = 0.7
"""Nats. Halfway between two quarter turns a face is judged where it was found."""


def from_quarter(faces: Detections, quarter: int, height: int, width: int) -> Detections:
    """Faces of ``np.rot90(picture, quarter)``, their turns being rolls there -> in pixels of the picture,
    ``height`` x ``width``."""
    corners = _back(faces.boxes_xyxy.reshape(-1, 2, 2), quarter, height, width)
    middle, half = corners.mean(1), (faces.boxes_xyxy[:, 2:] - faces.boxes_xyxy[:, :2]) / 2
    free = np.abs(faces.turns_deg) <= ASKED_DEG
    return Detections(
        np.concatenate([corners.min(1), corners.max(1)], 1),
        _back(faces.landmarks_xy, quarter, height, width),
        faces.scores,
        certainty=faces.certainty,
        turns_deg=(90 * quarter + np.where(free, 0, faces.turns_deg)).astype(np.float32),
        own_xyxy=faces.boxes_xyxy if quarter == 0 else np.concatenate([middle - half, middle + half], 1),
    )


def _back(points: F32, quarter: int, height: int, width: int) -> F32:
    """Points (..., 2) of the quarter turn of a picture -> of the picture."""
    x, y = points[..., 0], points[..., 1]
    pairs = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))
    return np.asarray(np.stack(pairs[quarter % 4], -1), np.float32)


def quarter_of(rgb: U8, box: F32, as_shown: float, network: FinderNetwork) -> int:
    """How many quarter turns counter-clockwise set the face in ``box`` upright, 0 to 3: the network, which
    learned from upright faces, is surest of it then."""
    votes = []
    for quarter in range(4):
        board, _ = _about(rgb, box, 90.0 * quarter)
        faces, _ = _in_the_middle(network.search(board, STRAIGHT_PX, 1.0, LEAST_SCORE))
        # As it is shown it was found already, with the score ``as_shown``.
        score = float(faces.scores[0]) if len(faces) else LEAST_SCORE if quarter else as_shown
        stay = -STAY_VOTE if quarter in (1, 3) else 0.0
        votes.append(stay + np.log(score / (1 - score)))
    return int(np.argmax(votes))


def _about(rgb: U8, box: F32, turn: float) -> tuple[U8, F64]:
    """The surroundings of a box turned counter-clockwise, u8 (320, 320, 3), and the affine map (2, 3)."""
    centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).mean())
    about, scale = (float(centre[0]), float(centre[1])), STRAIGHT_FACE_PX / side
    matrix: F64 = np.array(cv2.getRotationMatrix2D(about, turn, scale), np.float64)
    matrix[:, 2] += STRAIGHT_PX / 2 - centre
    return _warped(rgb, matrix, scale), matrix


def _in_the_middle(faces: Detections) -> tuple[Detections, float]:
    """The detection nearest to the middle of a board, none when all are away from it; and its roll."""
    away = np.linalg.norm((faces.boxes_xyxy[:, :2] + faces.boxes_xyxy[:, 2:]) / 2 - STRAIGHT_PX / 2, axis=1)
    if not len(faces) or away.min() > STRAIGHT_FACE_PX / 2:
        return Detections.none(), 0.0
    nearest = take(faces, np.arange(len(faces)) == away.argmin())
    return nearest, roll_of(nearest.landmarks_xy[0])


def straighten(rgb: U8, faces: Detections, network: FinderNetwork, look: SecondLook) -> Detections:
    """Rolled faces are found again in a piece of the picture in which they stand upright: landmarks of rolled
    ones lean towards upright, and their boxes hold their corners. One that is then not found is doubtful."""
    rolled = _lean(faces.turns_deg) > 1e-3
    if not rolled.any():
        return faces
    upright = take(faces, ~rolled)
    for i in np.flatnonzero(rolled):
        face = take(faces, np.arange(len(faces)) == i)
        straight = _straight(rgb, face, network, look)
        slight = float(_lean(face.turns_deg)[0]) <= FREE_DEG
        if slight and (straight is None or float(_lean(straight.turns_deg)[0]) <= FREE_DEG):
            straight = replace(face, turns_deg=np.asarray(np.round(face.turns_deg / 90) * 90, np.float32))
        upright = join(upright, straight or face.judged(np.full(1, look.doubtful), face.turns_deg))
    return take(upright, np.argsort(-upright.scores, kind="stable"))


def _lean(turns_deg: F32) -> F32:
    """How far each turn is from a quarter turn, degrees in [0, 45]."""
    return np.asarray(np.abs((turns_deg + 45) % 90 - 45), np.float32)


def _straight(rgb: U8, face: Detections, network: FinderNetwork, look: SecondLook) -> Detections | None:
    """The face as it is found upright; None when it is not."""
    own, turn = face.own_xyxy[0], float(face.turns_deg[0])
    best: Detections | None = None
    for _ in range(STRAIGHT_TRIES):
        board, matrix = _about(rgb, own, turn)
        faces, roll = _in_the_middle(network.search(board, STRAIGHT_PX, 1.0, LEAST_SCORE, both_ways=True))
        if not len(faces):
            break
        certainty, _ = look.at(board, faces)
        best = _to_picture(faces, matrix, turn, float(certainty[0]), float(face.scores[0]))
        if abs(roll) < SETTLED_DEG:
            return best
        own, turn = best.own_xyxy[0], turn + roll
    return best


def _warped(rgb: U8, matrix: F64, scale: float) -> U8:
    if scale < 0.5:
        # Bilinear sampling reads four pixels: what is reduced further is averaged before.
        part = int(1 / scale)
        size = (max(1, rgb.shape[1] // part), max(1, rgb.shape[0] // part))
        factor = np.array([rgb.shape[1] / size[0], rgb.shape[0] / size[1]])
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.concatenate([matrix[:, :2] * factor, matrix[:, 2:]], 1)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(rgb, matrix, (STRAIGHT_PX, STRAIGHT_PX), flags=flags, borderMode=border), np.uint8
    )


def _to_picture(faces: Detections, matrix: F64, turn: float, certainty: float, score: float) -> Detections:
    """One face of the straightened board -> of the picture; its box is that of the turned ellipse in it."""
    back = np.asarray(cv2.invertAffineTransform(matrix))
    linear = back[:, :2]
    box = faces.boxes_xyxy[0]
    middle = linear @ ((box[:2] + box[2:]) / 2) + back[:, 2]
    half = (box[2:] - box[:2]) / 2
    extent = np.sqrt(linear**2 @ half**2)
    half = half * np.sqrt(abs(np.linalg.det(linear)))
    return Detections(
        np.concatenate([middle - extent, middle + extent])[None].astype(np.float32),
        (faces.landmarks_xy @ linear.T + back[:, 2]).astype(np.float32),
        np.array([score], np.float32),
        certainty=np.array([certainty]),
        turns_deg=np.array([turn % 360], np.float32),
        own_xyxy=np.concatenate([middle - half, middle + half])[None].astype(np.float32),
    )
