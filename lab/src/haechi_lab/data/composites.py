"""Pictures to learn face finding from: sources pasted over backgrounds, labelled by the teacher.

Labels travel with the picture through its affine map, so that a rolled face keeps the box that the teacher
gave it upright; then the teacher looks at the finished picture too and adds what the sources had in their
backgrounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from haechi.faces import iou
from haechi.types import F32, U8
from haechi_lab.data.shards import Item, Shards
from haechi_lab.training.teachers import YuNet

SURE, DOUBTFUL = 0.6, 0.25


@dataclass(slots=True)
class Labels:
    """boxes f32 (n, 4), points f32 (n, 5, 2), sure bool (n,): unsure ones are neither face nor background."""

    boxes: F32
    points: F32
    sure: np.ndarray

    @staticmethod
    def empty() -> Labels:
        return Labels(np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, bool))

    def join(self, other: Labels) -> Labels:
        return Labels(
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.points, other.points]),
            np.concatenate([self.sure, other.sure]),
        )

    def take(self, keep: np.ndarray) -> Labels:
        return Labels(self.boxes[keep], self.points[keep], self.sure[keep])


def label(yunet: YuNet, rgb: U8, fills: tuple[float, ...] = (1.0,)) -> Labels:
    """The teacher's faces; the fill at which it is surest speaks."""
    best = Labels.empty()
    best_score = 0.0
    for fill in fills:
        boxes, points, scores = yunet.find(rgb, DOUBTFUL, fill)
        if len(scores) and scores.max() > best_score:
            best, best_score = Labels(boxes, points, scores >= SURE), float(scores.max())
    return best


def warp_labels(labels: Labels, matrix: np.ndarray) -> Labels:
    """Through a similarity (2, 3). A box becomes the upright box of the turned ellipse that it holds."""
    if not len(labels.sure):
        return labels
    linear = matrix[:, :2]
    centre = (labels.boxes[:, :2] + labels.boxes[:, 2:]) / 2 @ linear.T + matrix[:, 2]
    half = (labels.boxes[:, 2:] - labels.boxes[:, :2]) / 2
    extent = np.sqrt(half**2 @ (linear**2).T)
    points = labels.points @ linear.T + matrix[:, 2]
    return Labels(
        np.concatenate([centre - extent, centre + extent], 1).astype(np.float32),
        points.astype(np.float32),
        labels.sure,
    )


class Composer:
    """Makes training pictures of a fixed side from the train split."""

    def __init__(self, shards: Shards, items: list[Item], yunet: YuNet, side: int = 320) -> None:
        """Reads and labels the sources once; ``yunet`` must have ``side`` as its own."""
        self.side, self.yunet = side, yunet
        self.faces: list[tuple[U8, Labels]] = []
        for item in items:
            rgb = shards.rgb(item.path)
            if max(rgb.shape) > 512:
                scale = 512 / max(rgb.shape)
                reduced = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                rgb = np.asarray(reduced, np.uint8)
            labels = label(yunet, rgb, (0.6, 0.9) if item.source == "dfdc" else (0.9, 0.6))
            if labels.sure.any():
                self.faces.append((rgb, labels))
        self.scenes = [shards.rgb(p) for p in shards.paths("scenes/train/faces")]
        self.empty = [shards.rgb(p) for p in shards.paths("scenes/train/none")]

    def picture(self, rng: np.random.Generator) -> tuple[U8, Labels]:
        """rgb u8 (side, side, 3) and its labels."""
        kind = rng.random()
        if kind < 0.3:
            board = self._background(self.scenes, rng, zoom=(0.6, 2.5))
            labels = label(self.yunet, board)
            pastes = int(rng.integers(0, 3))
        elif kind < 0.72:
            board = self._background(self.empty, rng, zoom=(0.8, 3.0))
            labels = Labels.empty()
            pastes = int(rng.integers(0, 9))
        else:
            board = np.full((self.side, self.side, 3), rng.integers(0, 256, 3), np.uint8)
            labels, pastes = Labels.empty(), 1
        for _ in range(pastes):
            board, labels = self._paste(board, labels, rng, whole=kind >= 0.72)
        board = photograph(board, rng)
        theirs = label(self.yunet, board)
        return board, self._settle(labels, theirs)

    def _settle(self, ours: Labels, theirs: Labels) -> Labels:
        """Where the teacher surely sees what we know of, its box is the label; what only it sees is added.
        The landmarks stay those that travelled: of a rolled or spoilt face the teacher's lean upright."""
        if len(ours.sure) and len(theirs.sure):
            overlap = iou(ours.boxes, theirs.boxes)
            for i, j in enumerate(overlap.argmax(1)):
                if overlap[i, j] > 0.45 and theirs.sure[j]:
                    ours.boxes[i], ours.sure[i] = theirs.boxes[j], True
            theirs = theirs.take(overlap.max(0) <= 0.45)
        return ours.join(theirs)

    def _background(self, pool: list[U8], rng: np.random.Generator, zoom: tuple[float, float]) -> U8:
        rgb = pool[rng.integers(len(pool))]
        h, w = rgb.shape[:2]
        scale = self.side / max(h, w) * np.exp(rng.uniform(*np.log(zoom)))
        angle = float(rng.normal(0, 6))
        m = cv2.getRotationMatrix2D((rng.uniform(0.2, 0.8) * w, rng.uniform(0.2, 0.8) * h), angle, scale)
        m[:, 2] += self.side / 2 - m[:, :2] @ (w / 2, h / 2) - m[:, 2] + rng.normal(0, self.side / 8, 2)
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        out: np.ndarray = cv2.warpAffine(
            rgb, m, (self.side, self.side), flags=flags, borderMode=cv2.BORDER_CONSTANT,
            borderValue=[float(v) for v in rng.integers(0, 256, 3)],
        )  # fmt: skip
        return np.ascontiguousarray(out[:, ::-1]) if rng.random() < 0.5 else out

    def _paste(self, board: U8, labels: Labels, rng: np.random.Generator, whole: bool) -> tuple[U8, Labels]:
        rgb, own = self.faces[rng.integers(len(self.faces))]
        if rng.random() < 0.5:
            rgb, own = mirror(rgb, own)
        h, w = rgb.shape[:2]
        face = own.boxes[np.argmax((own.boxes[:, 2:] - own.boxes[:, :2]).prod(1))]
        size = float(np.sqrt((face[2:] - face[:2]).prod()))
        low, high = (0.25, 1.05) if whole else (0.03, 0.5)
        scale = self.side * np.exp(rng.uniform(np.log(low), np.log(high))) / size
        angle = float(np.clip(rng.normal(0, 10), -25, 25) if rng.random() < 0.6 else rng.uniform(-50, 50))
        centre = (face[:2] + face[2:]) / 2
        m = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
        spread = 0.12 if whole else 0.42
        m[:, 2] += self.side / 2 + rng.uniform(-spread, spread, 2) * self.side - centre
        blurred = cv2.GaussianBlur(rgb, (0, 0), 0.45 / scale) if scale < 0.7 else rgb
        warped = cv2.warpAffine(
            blurred, m, (self.side, self.side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        mask: np.ndarray = np.zeros((h, w), np.float32)
        if rng.random() < 0.5:
            mask[:] = 1
        else:
            axes = np.minimum((face[2:] - face[:2]) * rng.uniform(0.62, 1.1), (w, h)).astype(int)
            cv2.ellipse(
                mask, (int(centre[0]), int(centre[1])), tuple(int(a) for a in axes), 0, 0, 360, 1.0, -1
            )
        mask = cv2.warpAffine(mask, m, (self.side, self.side))
        if rng.random() < 0.7:
            mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 3))
        on_board = warp_labels(own, m)
        if len(labels.sure) and iou(on_board.boxes, labels.boxes).max() > 0.05:
            return board, labels
        inside = ((on_board.boxes[:, :2] + on_board.boxes[:, 2:]) / 2).astype(int)
        ok = np.asarray(((inside >= 0) & (inside < self.side)).all(1))
        visible = np.zeros(len(ok), np.bool_)
        visible[ok] = mask[inside[ok, 1], inside[ok, 0]] > 0.8
        out = (board + (warped.astype(np.float32) - board) * mask[:, :, None]).astype(np.uint8)
        return out, labels.join(on_board.take(visible))


def mirror(rgb: U8, labels: Labels) -> tuple[U8, Labels]:
    w = rgb.shape[1]
    boxes = labels.boxes.copy()
    boxes[:, [0, 2]] = w - boxes[:, [2, 0]]
    points = labels.points[:, [1, 0, 2, 4, 3]].copy()
    points[:, :, 0] = w - points[:, :, 0]
    return np.ascontiguousarray(rgb[:, ::-1]), Labels(boxes, points, labels.sure)


def photograph(rgb: U8, rng: np.random.Generator) -> U8:
    """Light, colour, blur, noise and JPEG as cameras and messengers do them."""
    out: np.ndarray = rgb.astype(np.float32)
    if rng.random() < 0.5:
        out = (out - 127) * rng.uniform(0.5, 1.4) + 127 + rng.uniform(-60, 50)
    if rng.random() < 0.2:
        out = out * rng.uniform(0.7, 1.2, 3).astype(np.float32)
    if rng.random() < 0.12:
        out = np.repeat(out.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.2:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 2.0))
    if rng.random() < 0.2:
        out = out + rng.normal(0, rng.uniform(2, 14), out.shape).astype(np.float32)
    u8 = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        ok, data = cv2.imencode(".jpg", u8, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
        u8 = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if ok else u8
    return u8


def targets(labels: Labels, side: int, most: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded labels: values f32 (most, 14), state i64 (most,): 1 face, -1 doubtful, 0 empty."""
    values, state = torch.zeros(most, 14), torch.zeros(most, dtype=torch.long)
    n = min(most, len(labels.sure))
    sizes = np.sqrt(np.clip(labels.boxes[:n, 2:] - labels.boxes[:n, :2], 0, None).prod(1))
    values[:n, :4] = torch.from_numpy(labels.boxes[:n])
    values[:n, 4:] = torch.from_numpy(labels.points[:n].reshape(n, 10))
    state[:n] = torch.from_numpy(np.where(labels.sure[:n] & (sizes >= 9) & (sizes < 1.5 * side), 1, -1))
    return values, state
