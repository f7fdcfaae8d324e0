"""Haechi finds forged faces in photographs and videos, on the user's own machine.

    report = haechi.check("photo.jpg")
    report.verdict.level        # "strong", "some", "none" or "unknown"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Not lazy like the others: importing the module haechi.check later would put the module in the function's
# place. It is light; numpy, OpenCV and onnxruntime load with the first check.
from haechi.check import check

if TYPE_CHECKING:
    from haechi.types import Report

    __version__: str

__all__ = ["Report", "__version__", "check"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("haechi")
    if name == "Report":
        from haechi.types import Report

        return Report
    raise AttributeError(f"module 'haechi' has no attribute {name!r}")
