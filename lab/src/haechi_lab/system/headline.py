"""The five figures of the README: the errors that matter most to whoever reads a verdict, and time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NAME = "headline"
"""Of the marker: ``<!-- results:headline -->``. It is no result of its own."""

_HEAD = {"en": ("what", "measured"), "zh": ("项目", "实测")}

# Each: the result, where in it the figure stands, whether it is a share, and its words.
_ROWS: Sequence[tuple[str, tuple[str, ...], bool, Mapping[str, str]]] = (
    (
        "photographs",
        ("rungs", "clean", "overall", "levels", "strong", "false_alarms"),
        True,
        {
            "en": "genuine photographs that get `strong`",
            "zh": "真实照片得到 `strong` 的比例",
        },
    ),
    (
        "dfdc",
        ("rungs", "clean", "overall", "scores", "swap", "tpr_at_fpr_0.05"),
        True,
        {
            "en": "swapped faces (DFDC) found at 5% false alarms",
            "zh": "误报 5% 时找到的换脸（DFDC）",
        },
    ),
    (
        "unseen",
        ("held", "mean"),
        False,
        {
            "en": "AUC for ways of forging a face that were left out of training",
            "zh": "训练时排除的伪造手法：AUC",
        },
    ),
    (
        "left-out",
        ("held", "mean"),
        False,
        {
            "en": "AUC for generators of faces that were left out of training (detector `synthesis` alone)",
            "zh": "训练时排除的生成器：AUC",
        },
    ),
)
_SPEED = {
    "en": "a 12-megapixel photograph, from a cold start, on two cores",
    "zh": "1200 万像素照片，冷启动，两个核心",
}


def table(results: Path, lang: str) -> str:
    """The table in Markdown. Raises OSError, KeyError or ValueError when a result lacks its figure."""
    rows = [(words[lang], _figure(results, name, keys, share)) for name, keys, share, words in _ROWS]
    rows.append((_SPEED[lang], str(_load(results, "speed")["rows"][0]["shown"])))
    lines = [_HEAD[lang], ("---", "---"), *rows]
    return "".join(f"| {what} | {figure} |\n" for what, figure in lines)


def _figure(results: Path, name: str, keys: Sequence[str], share: bool) -> str:
    """0.773 (0.757 to 0.795), or 0.0% (0.0 to 2.6)."""
    figure = _load(results, name)
    for key in keys:
        figure = figure[key]
    value, low, high = (float(figure[key]) for key in ("value", "low", "high"))
    if share:
        return f"{100 * value:.1f}% ({100 * low:.1f} to {100 * high:.1f})"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _load(results: Path, name: str) -> Any:
    return json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
