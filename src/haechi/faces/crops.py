"""What is cut out around a face, by the rules of the cards: a crop that is resampled, a piece that is not."""

from __future__ import annotations

import cv2
import numpy as np

from haechi.models import CropRule, PieceRule, Square
from haechi.types import F32, F64, U8

REDUCE_FIRST = 4
"""A square that leaves the picture and has at least twice this times the side of its output is reduced, to
no less than this, before its border is made."""

ROLL_LEAST, REACH = 1e-3, 1.6
"""Degrees from a quarter turn below which nothing is resampled; the square around a turned face, in sides."""


def crop_box(box_xyxy: F32, square: Square) -> F32:
    """The square around a face's box, f32 (4,) xyxy in picture pixels; it may leave the picture."""
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    side = square.scale * ((x2 - x1) + (y2 - y1)) / 2
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2 + square.down * (y2 - y1)
    return np.array([cx - side / 2, cy - side / 2, cx + side / 2, cy + side / 2], np.float32)


def cut(rgb: U8, box_xyxy: F32, size_px: int) -> U8:
    """The area of ``box_xyxy`` resampled to u8 (size_px, size_px, 3).

    Averages areas when it shrinks and interpolates linearly when it grows; outside the picture the border
    pixels repeat, so that no black edge tells how the picture was framed.
    """
    h, w = rgb.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    left, top = int(np.floor(x1)), int(np.floor(y1))
    right, bottom = max(int(np.ceil(x2)), left + 1), max(int(np.ceil(y2)), top + 1)
    ix1, iy1, ix2, iy2 = max(left, 0), max(top, 0), min(right, w), min(bottom, h)
    if ix1 >= ix2 or iy1 >= iy2:
        ix1, iy1 = min(max(left, 0), w - 1), min(max(top, 0), h - 1)
        ix2, iy2 = ix1 + 1, iy1 + 1
    piece = _readable(rgb[iy1:iy2, ix1:ix2])
    above, beside = max(iy1 - top, 0), max(ix1 - left, 0)
    pads = (above, max(bottom - iy2, 0), beside, max(right - ix2, 0))
    if any(pads):
        height, width = sum(pads[:2]) + piece.shape[0], sum(pads[2:]) + piece.shape[1]
        part = max(height, width) // (REDUCE_FIRST * size_px)
        if part > 1:
            # A border around the piece as it is would copy it, hundreds of megabytes of a huge face.
            first_y, last_y, height = _reduced(above, above + piece.shape[0], height, part)
            first_x, last_x, width = _reduced(beside, beside + piece.shape[1], width, part)
            size = (last_x - first_x, last_y - first_y)
            piece = np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_AREA), np.uint8)
            pads = (first_y, height - last_y, first_x, width - last_x)
        piece = np.asarray(cv2.copyMakeBorder(piece, *pads, cv2.BORDER_REPLICATE), np.uint8)
    how = cv2.INTER_AREA if piece.shape[0] > size_px else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(piece, (size_px, size_px), interpolation=how), np.uint8)


def _readable(piece: U8) -> U8:
    """OpenCV reads parts of a picture where they lie, but not those of a turned one."""
    return piece if piece.strides[1:] == (3, 1) and piece.strides[0] > 0 else np.ascontiguousarray(piece)


def _reduced(start: int, end: int, length: int, part: int) -> tuple[int, int, int]:
    """Where a stretch of a line lies, and how long the line is, at one ``part``-th: never shorter than 1."""
    whole = max(1, round(length / part))
    first = min(round(start / part), whole - 1)
    return first, min(max(round(end / part), first + 1), whole), whole


def shown_square(own_xyxy: F32, turn_deg: float, rule: Square) -> F32:
    """The square of ``crop_box`` of a turned face where it lies in the picture as shown, its sides along the
    picture's: f32 (4,)."""
    square, middle = crop_box(own_xyxy, rule), (own_xyxy[:2] + own_xyxy[2:]) / 2
    if turn_deg == 0:
        return square
    a, half = np.radians(turn_deg), (square[2:] - square[:2]) / 2
    down = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ (
        (square[:2] + square[2:]) / 2 - middle
    )
    return np.concatenate([middle + down - half, middle + down + half]).astype(np.float32)


def upright_crop(rgb: U8, own_xyxy: F32, turn_deg: float, rule: CropRule) -> U8:
    """The square of ``crop_box`` of a face that is shown turned, standing upright: u8 (size_px, size_px, 3).
    Of an upright face and of quarter turns it is the cut as it is, of others resampled along the face."""
    size_px = rule.size_px
    board, box = _quarter(rgb, own_xyxy, turn_deg)
    square, roll = crop_box(box, rule.square), (turn_deg + 45) % 90 - 45
    if abs(roll) < ROLL_LEAST:
        return cut(board, square, size_px)
    middle, side = (box[:2] + box[2:]) / 2, float(square[2] - square[0])
    reach = side * REACH
    around = np.concatenate([middle - reach / 2, middle + reach / 2]).astype(np.float32)
    board_px = round(min(max(reach, size_px), 2 * REACH * size_px))
    piece = cut(board, around, board_px)
    matrix: F64 = np.array(
        cv2.getRotationMatrix2D((board_px / 2, board_px / 2), roll, size_px / board_px * REACH), np.float64
    )
    matrix[:, 2] += size_px / 2 - board_px / 2
    matrix[:, 2] -= (0, rule.square.down * float(box[3] - box[1]) / side * size_px)
    # Reduced by no more than two, bilinear sampling leaves out nothing.
    turned = cv2.warpAffine(
        piece, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.ascontiguousarray(turned, np.uint8)


def upright_piece(rgb: U8, own_xyxy: F32, turn_deg: float, rule: PieceRule) -> U8:
    """``native_piece`` of the quarter turn of the picture in which the face stands most upright."""
    return native_piece(*_quarter(rgb, own_xyxy, turn_deg), rule)


def _quarter(rgb: U8, own_xyxy: F32, turn_deg: float) -> tuple[U8, F32]:
    """The quarter turn of a picture in which a face stands most upright, and its own box there."""
    quarter = round(turn_deg / 90) % 4
    if quarter == 0:
        return rgb, own_xyxy
    h, w = rgb.shape[:2]
    (x, y), half = (own_xyxy[:2] + own_xyxy[2:]) / 2, (own_xyxy[2:] - own_xyxy[:2]) / 2
    middle = np.array([(y, w - x), (w - x, h - y), (h - y, x)][quarter - 1], np.float32)
    return np.rot90(rgb, quarter), np.concatenate([middle - half, middle + half])


def native_piece(rgb: U8, box_xyxy: F32, rule: PieceRule) -> U8:
    """Pixels around a face as they are, u8 (h, w, 3): cut out, never beyond the picture, never resampled.

    Only a face wider than the rule's ``largest_px`` is halved, or divided by the next whole number: no
    generator draws faces that large, and a window of it would show nothing but skin.
    """
    h, w = rgb.shape[:2]
    square = crop_box(box_xyxy, rule.square)
    face = float(square[2] - square[0])
    part = max(1, int(np.ceil(face / rule.largest_px)))
    side = part * float(np.clip(rule.scale * face / part, rule.least_px, rule.most_px))
    x1, y1 = (
        round(float(np.clip((square[i] + square[i + 2] - side) / 2, 0, max(0.0, n - side))))
        for i, n in ((0, w), (1, h))
    )
    piece = _readable(rgb[y1 : y1 + round(side), x1 : x1 + round(side)])
    if part == 1:
        return piece.copy()
    size = (max(1, piece.shape[1] // part), max(1, piece.shape[0] // part))
    reduced: U8 = np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_AREA), np.uint8)
    return reduced
