"""Haechi finds forged faces in photographs and videos, on the user's own machine.

    report = haechi.check("photo.jpg")      # or bytes, an open file, a Pillow image, an RGB array
    report.verdict.level                    # "strong", "some", "none" or "unknown"
    report.sentence("ko")                   # the same in words, in English, Chinese or Korean
    report.to_html("zh")                    # the whole report as one page

For many files, or for single stages without a report, build a ``Pipeline`` once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Not lazy like the others: importing the module haechi.check later would put the module in the function's
# place. It is light; numpy, OpenCV and onnxruntime load with the first check.
from haechi.check import check
from haechi.errors import (
    DamagedFile,
    HaechiError,
    InputError,
    ModelError,
    NotAFile,
    OverLimit,
    UnknownFormat,
    UsageError,
)
from haechi.pipeline import Pipeline, PipelineConfig
from haechi.settings import Settings

if TYPE_CHECKING:
    from haechi.report import Report

    __version__: str

__all__ = [
    "DamagedFile",
    "HaechiError",
    "InputError",
    "ModelError",
    "NotAFile",
    "OverLimit",
    "Pipeline",
    "PipelineConfig",
    "Report",
    "Settings",
    "UnknownFormat",
    "UsageError",
    "__version__",
    "check",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("haechi")
    if name == "Report":
        from haechi.report import Report

        return Report
    raise AttributeError(f"module 'haechi' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
