"""The errors for damage that files of several formats share."""

from __future__ import annotations

from haechi.errors import DamagedFile
from haechi.media.containers.pieces import MAX_PIECES


def cut_off(name: str) -> DamagedFile:
    """The error for a file whose end is missing."""
    return DamagedFile(
        f"The {name} is cut off before its end, as after a broken download: get the whole file again."
    )


def too_many(name: str, parts: str) -> DamagedFile:
    """The error for a file of more parts than any honest one."""
    return DamagedFile(
        f"The {name} has more than {MAX_PIECES:,} {parts}, as only a file made to stall decoders has: "
        "save it anew with another program."
    )
