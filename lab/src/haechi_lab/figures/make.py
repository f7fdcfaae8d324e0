"""All pictures of docs/how-it-works.md, by name of their file, and the one function that makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from haechi.errors import UsageError
from haechi.types import U8
from haechi_lab.figures import curves, forgeries
from haechi_lab.figures import detector_views as looking
from haechi_lab.figures.sheets import save
from haechi_lab.figures.sources import Stage

SHEETS: dict[str, Callable[[Stage], U8]] = {
    "bottleneck.jpg": forgeries.bottleneck,
    "nobody.jpg": forgeries.nobody,
    "decoder.jpg": forgeries.decoder,
    "alive.jpg": forgeries.alive,
    "border.jpg": forgeries.border,
    "resolution.jpg": forgeries.resolution,
    "spectra.png": forgeries.spectra,
    "degraded.jpg": forgeries.degraded,
    "finder.jpg": looking.finder,
    "filters.png": looking.filters,
    "residuals.jpg": looking.residuals,
    "maps.jpg": looking.maps,
}
CHARTS: dict[str, Callable[[Stage, str], str]] = {
    "shared-encoder": curves.shared_encoder,
    "two-players": curves.two_players,
    "autoencoder-loss": curves.autoencoder_loss,
    "gan-loss": curves.gan_loss,
    "lesson": curves.lesson,
    "calibration": curves.calibration,
    "thresholds": curves.thresholds,
    "over-time": curves.over_time,
}
"""Each is drawn as NAME.svg and, in Chinese, NAME.zh-CN.svg."""


def make(stage: Stage, out: Path, only: Sequence[str] | None = None) -> list[str]:
    """Write the pictures, or those of ``only``, to ``out``; returns one line for each that cannot be made
    because something was not trained or measured. Raises UsageError on an unknown name."""
    names = list(only or [*SHEETS, *CHARTS])
    if unknown := [n for n in names if n not in SHEETS and n not in CHARTS]:
        raise UsageError(f"no picture {', '.join(unknown)}; there are: {', '.join([*SHEETS, *CHARTS])}")
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    missing = []
    for name in names:
        try:
            if name in SHEETS:
                save(SHEETS[name](stage), out / name)
            else:
                for lang, suffix in (("en", ".svg"), ("zh", ".zh-CN.svg")):
                    (out / f"{name}{suffix}").write_text(CHARTS[name](stage, lang), encoding="utf-8")
        except UsageError as error:
            missing.append(f"{name}: {error.message}")
    return missing
