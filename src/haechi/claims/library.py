"""The C2PA library, of the extra ``provenance``: is it there, and what does it find in a file."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from haechi.claims.original import Original

#: Formats of ``sniff`` in which the library finds manifest stores.
MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/avi",
}
_PROCESS = Path(__file__).with_name("c2pa_process.py")


class Refused(Exception):
    """The library read nothing; the argument is its own word for the cause, or the name of the breakdown."""


@cache
def installed() -> bool:
    """Whether the library is there; it is not loaded for that."""
    return find_spec("c2pa") is not None


def read_store(original: Original, form: str, trusted: str, timeout_s: float) -> Any:
    """The manifest store of a file as the library's JSON, with the library's validation in it.

    ``trusted``: a file of certificates in PEM, or empty. Raises Refused, also when the library crashes or is
    not done after ``timeout_s``, and Changed when the file is no longer the one that was opened."""
    # -P: the folder of the script, with modules of common names in it, is not put before the others.
    command = [sys.executable, "-P", str(_PROCESS), MEDIA_TYPES[form], *([trusted] if trusted else [])]
    try:
        if isinstance(original.source, bytes):
            done = _run(command, timeout_s, input=original.source)
        else:
            with original.open() as file:
                done = _run(command, timeout_s, stdin=file)
    except subprocess.TimeoutExpired:
        raise Refused("Timeout") from None
    try:
        answer = json.loads(done.stdout)
    except (ValueError, RecursionError):
        raise Refused("Crash") from None
    if not isinstance(answer, dict) or "store" not in answer:
        raise Refused(str(answer.get("refused", "")) if isinstance(answer, dict) else "")
    return answer["store"]


def _run(command: list[str], timeout_s: float, **how: Any) -> subprocess.CompletedProcess[bytes]:
    # The process is killed when the time is over, and when this one is interrupted.
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=timeout_s, check=False, **how
    )
