"""Breaking lines on a terminal: Chinese between any two characters, Korean and English only at spaces."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

# Typographic rule (kinsoku): these never begin a line, those never end one.
_NOT_FIRST = frozenset("，。、；：！？）》」』”’…%,.;:!?)]}")
_NOT_LAST = frozenset("（《「『“‘([{")


def wrap(text: str, width: int) -> str:
    """``text`` with line breaks so that no line is wider than ``width`` terminal cells (at least 2)."""
    width = max(width, 2)
    lines: list[str] = []
    line = ""
    for unit in _units(text):
        if line and cell_len(line) + cell_len(unit.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        for piece in _fold(unit, width):
            if cell_len(line) + cell_len(piece.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
    return "\n".join([*lines, line.rstrip()])


def _units(text: str) -> list[str]:
    """The pieces between which a line may break; spaces stay with the piece before them."""
    units: list[str] = []
    for char in text:
        if units and not _breaks(units[-1][-1], char):
            units[-1] += char
        else:
            units.append(char)
    return units


def _breaks(before: str, after: str) -> bool:
    if after.isspace() or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return before.isspace() or _ideograph(before) or _ideograph(after)


def _ideograph(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF" and not unicodedata.name(char, "").startswith("HANGUL")


def _fold(unit: str, width: int) -> list[str]:
    """A unit that is wider than a whole line, cut into pieces that fit."""
    pieces = [""]
    for char in unit:
        if pieces[-1] and cell_len((pieces[-1] + char).rstrip()) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces
