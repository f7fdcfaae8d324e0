"""Side by side: what each network costs and what it finds. The costs come from ``haechi train baselines``,
which needs PyTorch for the baselines; how well Haechi finds comes from the results beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

SCHEMA = "haechi.baselines/1"
AUC_OF = {"fast": "dfdc"}
"""The result in which a role was measured; the score is ``swap``, the rung ``clean``."""
WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 30, 70
_STYLE = """text{font:14px system-ui,sans-serif;fill:#24292f}.axis{stroke:#57606a;fill:none}
.grid{stroke:#d0d7de;stroke-dasharray:2 4}.own{fill:#0969da;stroke:#0969da}
.peer{stroke:#bc4c00;stroke-dasharray:6 4}.peername{fill:#bc4c00}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.axis{stroke:#8d96a0}.grid{stroke:#3d444d}
.own{fill:#58a6ff;stroke:#58a6ff}.peer{stroke:#f0883e}.peername{fill:#f0883e}}"""


def with_auc(result: Mapping[str, Any], results: Path) -> dict[str, Any]:
    """The rows with ``auc`` {value, low, high} of the check, None for whom it was not measured; and their
    ``table``."""
    rows = [{**r, "auc": _auc(str(r["role"]), results)} for r in result["rows"]]
    heads, *cells = _cells(rows)
    return {**result, "rows": rows, "table": {"columns": heads, "rows": cells}}


def _auc(role: str, results: Path) -> Mapping[str, Any] | None:
    path = results / f"{AUC_OF.get(role)}.json"
    if role not in AUC_OF or not path.is_file():
        return None
    result = json.loads(path.read_text(encoding="utf-8"))
    figure: Mapping[str, Any] = result["rungs"]["clean"]["overall"]["scores"]["swap"]["auc"]
    return figure if figure["value"] is not None else None


def plot(result: Mapping[str, Any]) -> str:
    """AUC against seconds a face, the latter on a logarithmic axis, as SVG that follows the reader's light or
    dark. Whom no AUC is known of, the baselines with random weights, is a line at its cost. ``result``: from
    ``with_auc``."""
    rows = [r for r in result["rows"] if r["role"] != "network"]
    cost = {str(r["role"]): 1 / float(r["faces_per_s"]["value"]) for r in rows}
    rows_with_auc = [r for r in rows if r["auc"]]
    first, last = math.log10(min(cost.values())) - 0.3, math.log10(max(cost.values())) + 0.3
    lows = [r["auc"]["low"] for r in rows_with_auc] or [0.5]
    floor = max(0.0, math.floor(10 * float(min(lows))) / 10)

    def x(seconds: float) -> float:
        return LEFT + (math.log10(seconds) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(auc: float) -> float:
        return HEIGHT - BOTTOM - (auc - floor) / (1 - floor) * (HEIGHT - TOP - BOTTOM)

    bottom, end, middle = HEIGHT - BOTTOM, WIDTH - RIGHT, (HEIGHT - BOTTOM + TOP) / 2
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{end}"/>']
    for k in range(math.ceil(first), math.floor(last) + 1):
        at = x(10.0**k)
        label = f"{10.0**k:g} s" if k >= 0 else f"{10.0 ** (k + 3):g} ms"
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP}V{bottom}"/>{_text(at, bottom + 22, label)}')
    for k in range(round(floor * 20), 21):
        at = y(k / 20)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{end}"/>')
        parts.append(_text(LEFT - 8, at + 5, f"{k / 20:.2f}", "end"))
    baselines = sorted((r for r in rows if not r["auc"]), key=lambda r: cost[r["role"]])
    for n, r in enumerate(baselines):
        at = x(cost[r["role"]])
        parts.append(f'<path class="peer" d="M{at:.1f} {TOP}V{bottom}"/>')
        parts.append(_text(at - 6, TOP + 16 + 22 * n, _short(r), "end", "peername"))
    for r in rows_with_auc:
        at, auc = x(cost[r["role"]]), r["auc"]
        parts.append(f'<path class="own" d="M{at:.1f} {y(auc["low"]):.1f}V{y(auc["high"]):.1f}"/>')
        parts.append(f'<circle class="own" cx="{at:.1f}" cy="{y(auc["value"]):.1f}" r="5"/>')
        beside, anchor = (10, "start") if at < (LEFT + end) / 2 else (-10, "end")
        parts.append(_text(at + beside, y(auc["value"]) + 5, f"{_short(r)} {auc['value']:.3f}", anchor))
    parts.append(_text((LEFT + end) / 2, HEIGHT - 16, "time a face (two processor cores, logarithmic)"))
    title = "AUC on DFDC persons never trained on, against time a face"
    parts.append(f'<g transform="translate(22 {middle:.0f}) rotate(-90)">{_text(0, 0, "AUC")}</g>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _short(r: Mapping[str, Any]) -> str:
    return str(r["name"]).partition(":")[0].partition(",")[0]


def _text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attribute}>{escape(words)}</text>'


def _cells(contestants: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[str]]:
    """The table: headings, then a row for each contestant."""
    heads = ["network", "run by", "faces a second", "GFLOPs", "MB", "AUC"]
    rows = []
    for r in contestants:
        pace = "{value:,.3g} ({low:,.3g} to {high:,.3g})".format(**r["faces_per_s"])
        auc = "{value:.3f} ({low:.3f} to {high:.3f})".format(**r["auc"]) if r.get("auc") else "–"
        times = [_times(r["times_anchor"]), _times(r["times_b4"])]
        rows.append([r["name"], r["how"], pace, _times(r["gflops"]), _times(r["mb"]), auc, *times])
    return [[*heads, "times the anchor", "times EfficientNet-B4"], *rows]


def _times(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
