"""Pass a hand slowly across the face.

The face is cut into cells, and each cell that shows something (an eye, the mouth) is looked for near its
place in the next look. Where it is not found again, something lies over it. A hand covers a part of the face,
the part wanders from one side to the other, and then the face is as it was; a head that turns or moves away
changes everywhere at once."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.live.challenges.look import Calm, Look, Stage
from haechi.types import F32, U8

CELLS, CELL_PX, SHIFT_PX = 6, 12, 7
"""Cells each way, their side, and how far from its place a cell may be found: a tenth of the face."""
LEAST_CONTRAST = 6.0
"""Deviation of the luma, of 255: a cell with less shows nothing that could be found again."""
ALIKE = 0.6
"""A cell whose best correlation nearby is below this is covered."""
COVERED, CLEAR = 0.12, 0.1
"""Share of the cells: from so many covered on something lies over the face, with so few nothing does."""
BARE_AGAIN = 0.4
"""Or with so small a part of what was covered at the most: somebody who begins to smile stays changed."""
OVER, FREE = 0.3, 0.6
"""A third of the face is covered when so many of its cells are; meanwhile the third on the other side must be
covered no more than so large a part of what it is when its turn comes."""
STAYS, SAME_SIZE = 0.4, 1.3
"""The head stays where it was to within this share of its height, and as large to within this factor."""
LONGEST_S = 8.0
CLEAR_LOOKS = 5
"""The face is held against what it was so many looks before: of the last, a hand that comes in slowly would
already be a part."""


class Hand:
    """Something covers a part of the face, wanders across it, and leaves it as it was."""

    def __init__(self, _calm: Calm) -> None:
        self._clear: deque[tuple[Look, F32]] = deque(maxlen=CLEAR_LOOKS)
        self._began_s: float | None = None
        self._over: list[NDArray[np.float64]] = []  # of each look, as ``thirds`` tells it
        self._most = 0.0

    def add(self, look: Look, rgb: U8) -> Stage:
        """The next look, in order of time, and its frame u8 (H, W, 3)."""
        if self._clear and self._began_s is None and look.time_s - self._clear[0][0].time_s > LONGEST_S:
            self._clear.clear()  # it moved away from where it was, and is not found there any more
        if not self._clear:
            self._remember(look, rgb)
            return "asked"
        before, face = self._clear[0]
        covered, shows = changed(face, face_of(rgb, before.box_xyxy))
        if look.in_sight:  # the head may have moved: what is found in either place is there
            covered &= changed(face, face_of(rgb, look.box_xyxy))[0]
        share = float(covered.sum()) / max(int(shows.sum()), 1)
        if share >= COVERED:
            self._began_s = look.time_s if self._began_s is None else self._began_s
        if self._began_s is None:
            if share <= CLEAR:
                self._remember(look, rgb)
            return "asked"
        self._over.append(thirds(covered, shows))
        self._most = max(self._most, share)
        over = look.time_s - self._began_s > LONGEST_S
        if not over and share > max(CLEAR, BARE_AGAIN * self._most):
            return "begun"
        crossed = look.in_sight and not over and crosses(np.array(self._over)) and _stays(before, look)
        self._began_s, self._over, self._most = None, [], 0.0
        if over:
            self._clear.clear()
        return "done" if crossed else "asked"

    def _remember(self, look: Look, rgb: U8) -> None:
        if look.in_sight:
            self._clear.append((look, face_of(rgb, look.box_xyxy)))


def thirds(covered: NDArray[np.bool_], shows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """f64 (2, 3): how much of each third of a face is covered, from the left to the right and from the top to
    the bottom, of cells bool (CELLS, CELLS)."""
    out = np.zeros((2, 3))
    for axis in range(2):
        for part, (c, s) in enumerate(
            zip(np.split(covered, 3, 1 - axis), np.split(shows, 3, 1 - axis), strict=True)
        ):
            out[axis, part] = c.sum() / max(int(s.sum()), 1)
    return out


def crosses(over: NDArray[np.float64]) -> bool:
    """Whether something wandered from one side to the other in looks f64 (n, 2, 3) of ``thirds``: it lay over
    all three, and when it lay over the one side the most the other was free."""
    for axis in range(2):
        first, _, last = over[:, axis].T
        if (over[:, axis].max(0) < OVER).any():
            continue
        a, b = int(first.argmax()), int(last.argmax())
        if a != b and last[a] <= FREE * last[b] and first[b] <= FREE * first[a]:
            return True
    return False


def _stays(before: Look, now: Look) -> bool:
    (x, y), (was_x, was_y) = now.centre_xy, before.centre_xy
    growth = now.height_px / before.height_px
    way = float(np.hypot(x - was_x, y - was_y)) / before.height_px
    return way <= STAYS and max(growth, 1 / growth) <= SAME_SIZE


def face_of(rgb: U8, box_xyxy: F32) -> F32:
    """The luma f32 (S, S) of what lies in a box of a frame u8 (H, W, 3), S = CELLS * CELL_PX."""
    side = CELLS * CELL_PX
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    m = np.array([[(x2 - x1) / side, 0, x1], [0, (y2 - y1) / side, y1]], np.float64)
    how = cv2.INTER_AREA if x2 - x1 > side else cv2.INTER_LINEAR
    part = cv2.warpAffine(
        rgb, m, (side, side), flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.cvtColor(np.asarray(part, np.uint8), cv2.COLOR_RGB2GRAY), np.float32)


def changed(face: F32, now: F32) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells bool (CELLS, CELLS) of a face f32 (S, S) are not found again in it as it looks now, and
    which show anything that could be."""
    wide = cv2.copyMakeBorder(now, SHIFT_PX, SHIFT_PX, SHIFT_PX, SHIFT_PX, cv2.BORDER_REPLICATE)
    covered = np.zeros((CELLS, CELLS), bool)
    shows = np.zeros((CELLS, CELLS), bool)
    for row in range(CELLS):
        for column in range(CELLS):
            y, x = row * CELL_PX, column * CELL_PX
            cell = face[y : y + CELL_PX, x : x + CELL_PX]
            shows[row, column] = float(cell.std()) >= LEAST_CONTRAST
            if shows[row, column]:
                near = wide[y : y + CELL_PX + 2 * SHIFT_PX, x : x + CELL_PX + 2 * SHIFT_PX]
                best = float(cv2.matchTemplate(near, cell, cv2.TM_CCOEFF_NORMED).max())
                covered[row, column] = best < ALIKE
    return covered, shows
