"""What has happened, in the text format of Prometheus (0.0.4). Numbers only: no names, no addresses."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")


class Metrics:
    """Counts since the start of the process. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._ended: Counter[str] = Counter()
        self._within: Counter[float] = Counter()
        self._seconds, self._checks = 0.0, 0

    def answered(self, method: str, status: int) -> None:
        """One HTTP answer. Methods that nobody needs count together, or a caller could fill the memory."""
        with self._lock:
            self._answers[method if method in _METHODS else "other", status] += 1

    def ended(self, outcome: str, seconds: float) -> None:
        """One check: the level of its verdict, or the code of its error."""
        with self._lock:
            self._ended[outcome] += 1
            self._checks += 1
            self._seconds += seconds
            for bound in _BOUNDS_S:
                if seconds <= bound:
                    self._within[bound] += 1

    def text(self, jobs: Mapping[str, int], *, calls: int, ready: bool) -> str:
        """The page. ``jobs``: how many there are now, by status; ``calls``: how many are watched now."""
        with self._lock:
            lines = [
                *_family("haechi_ready", "gauge", "1 when uploads are judged at once.", {"": int(ready)}),
                *_family("haechi_jobs", "gauge", "Jobs now, by status.", _labelled("status", jobs)),
                *_family("haechi_calls", "gauge", "Calls that are watched now.", {"": calls}),
                *_family(
                    "haechi_checks_total",
                    "counter",
                    "Checks that ended, by verdict or error.",
                    _labelled("outcome", self._ended),
                ),
                *_family(
                    "haechi_http_responses_total",
                    "counter",
                    "HTTP answers, by method and status.",
                    {f'{{method="{m}",status="{s}"}}': n for (m, s), n in sorted(self._answers.items())},
                ),
                "# HELP haechi_check_seconds Time from the beginning of a check to its end.",
                "# TYPE haechi_check_seconds histogram",
                *(f'haechi_check_seconds_bucket{{le="{b:g}"}} {self._within[b]}' for b in _BOUNDS_S),
                f'haechi_check_seconds_bucket{{le="+Inf"}} {self._checks}',
                f"haechi_check_seconds_sum {self._seconds:.6f}",
                f"haechi_check_seconds_count {self._checks}",
            ]
        memory = resident_bytes()
        if memory is not None:
            name = "process_resident_memory_bytes"
            lines += _family(name, "gauge", "Resident memory.", {"": memory})
        return "\n".join(lines) + "\n"


def resident_bytes() -> int | None:
    """Memory of this process that is in RAM; None where the system does not tell it so easily."""
    file = Path("/proc/self/statm")
    if not file.exists():
        return None
    return int(file.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _family(name: str, kind: str, meaning: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
    yield from (f"{name}{labels} {value}" for labels, value in values.items())


def _labelled(label: str, values: Mapping[str, int]) -> dict[str, int]:
    return {f'{{{label}="{key}"}}': values[key] for key in sorted(values)}
