"""From the upload of a 4-MB photograph to its verdict, on a warm server: what one person waits for."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from haechi_lab.system.server.photographs import photographs
from haechi_lab.system.server.process import Server, scratch
from haechi_lab.system.server.result import row


def latency(repeats: int = 20, megabytes: float = 4.0) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts. The time runs from the first byte sent to the report in hand."""
    with scratch() as folder:
        files = photographs(Path(folder) / "photos", min(repeats, 5), megabytes, 4000)
        seconds = []
        with Server(Path(folder) / "server") as server, server.client() as client:
            for k in range(repeats + 1):
                begin = time.perf_counter()
                client.check(files[k % len(files)])
                seconds.append(time.perf_counter() - begin)
        size = statistics.mean(file.stat().st_size for file in files) / 1e6
    seconds = seconds[1:]  # the first photograph after the start is measured by nobody's bar
    ordered = sorted(seconds)
    rows = [
        row(
            f"a {megabytes:g}-MB photograph, from the upload to the verdict, median",
            ordered[len(ordered) // 2],
            "s",
            3.0,
        ),
        row("the slowest of them", ordered[-1], "s"),
    ]
    return rows, {"repeats": repeats, "mean_mb": round(size, 3), "seconds": [round(s, 4) for s in seconds]}
