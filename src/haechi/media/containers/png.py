"""The chunks of a PNG. Source: PNG, third edition (W3C), 5.3."""

from __future__ import annotations

from collections.abc import Generator

from haechi.media.containers.pieces import MAX_PIECES, Ending, Piece, Walk

_SIGNATURE_BYTES, _HEAD_BYTES, _CHECKSUM_BYTES = 8, 8, 4


def chunks(data: bytes) -> Walk[bytes]:
    """The chunks of a whole file, behind its signature, up to IEND. Checksums are not looked at, but must be
    there. Ends MARKED (by IEND), CUT or TOO_MANY."""
    return Walk(_steps(data))


def _steps(data: bytes) -> Generator[Piece[bytes], None, Ending]:
    at = _SIGNATURE_BYTES
    for _ in range(MAX_PIECES):
        head = data[at : at + _HEAD_BYTES]
        if len(head) < _HEAD_BYTES:
            return Ending.CUT
        kind, offset = head[4:], at + _HEAD_BYTES
        end = offset + int.from_bytes(head[:4], "big")
        missing = max(0, end + _CHECKSUM_BYTES - len(data))
        yield Piece(kind, at, offset, min(end, len(data)), missing)
        if missing:
            return Ending.CUT
        if kind == b"IEND":
            return Ending.MARKED
        at = end + _CHECKSUM_BYTES
    return Ending.TOO_MANY
