"""What ``haechi check`` says about the sample, for the pages that show it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_KEPT: Mapping[str, tuple[str, ...]] = {
    "tool": (),
    "source": ("name", "sha256", "kind", "width_px", "height_px", "duration_s"),
    "verdict": ("level", "sentence", "score", "interval", "thresholds", "reasons"),
}


def text(photograph: Path, lang: str) -> str:
    """The report in a terminal of 80 columns, as a block of Markdown."""
    lines = (line.rstrip() for line in _said(photograph, "--lang", lang).splitlines())
    return "```text\n" + "\n".join(lines).strip() + "\n```\n"


def abridged(photograph: Path) -> str:
    """The head of the JSON report, as a block of Markdown."""
    report = json.loads(_said(photograph, "--format", "json"))
    parts: dict[str, Any] = {"schema": report["schema"]}
    for key, names in _KEPT.items():
        parts[key] = {name: report[key][name] for name in names or report[key]}
    return f"```json\n{json.dumps(parts, indent=2, ensure_ascii=False)}\n```\n"


@cache
def _said(photograph: Path, *options: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HAECHI_")}
    command = [sys.executable, "-m", "haechi", "check", "--quiet", *options, "--", str(photograph)]
    environ |= {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=environ)
    return run.stdout
