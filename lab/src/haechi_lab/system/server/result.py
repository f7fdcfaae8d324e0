"""The one file of the server's figures: each command renews its own part."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from haechi.bench.result import write_json
from haechi.models import cores
from haechi_lab.system.speed import processor

SCHEMA = "haechi.web-bench/1"


def row(
    what: str, value: float, unit: str, bar: float | None = None, *, least: bool = False
) -> dict[str, Any]:
    """One figure. ``bar``: what it must not exceed, or with ``least`` what it must reach; None has no bar."""
    figure = {"what": what, "value": round(value, 4), "unit": unit, "shown": f"{value:.4g} {unit}".strip()}
    if bar is None:
        return {**figure, "bar": "", "ok": True}
    sign, ok = (">=", value >= bar) if least else ("<=", value <= bar)
    return {**figure, "bar": f"{sign} {bar:g} {unit}".strip(), "ok": ok}


def write(out: Path, part: str, rows: Sequence[Mapping[str, Any]], **facts: Any) -> None:
    """Put the rows of one command into the file, with when and where they were measured."""
    whole: dict[str, Any] = {"schema": SCHEMA, "parts": {}}
    if out.exists():
        earlier = json.loads(out.read_text(encoding="utf-8"))
        whole["parts"] = earlier["parts"] if earlier.get("schema") == SCHEMA else {}
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    whole["parts"][part] = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": metadata.version("haechi"),
        "machine": {
            "processor": processor(),
            "cores": cores(),
            "system": platform.system(),
            "python": platform.python_version(),
            "load_average_1_min": None if busy is None else round(busy, 2),
        },
        **facts,
        "rows": [dict(r) for r in rows],
    }
    whole["parts"] = dict(sorted(whole["parts"].items()))
    write_json(out, whole)


def rendered(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as lines for a terminal."""
    return "\n".join(
        f"{r['what']:<64} {r['shown']:>14}   "
        + (f"bar {r['bar']:<12} {'ok' if r['ok'] else 'MISSED'}" if r["bar"] else "")
        for r in rows
    )
