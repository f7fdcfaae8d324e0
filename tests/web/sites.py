"""A server in the same process, with the stand-in networks of ``fakes``, and a visitor without a browser."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from fastapi.testclient import TestClient

from fakes import InProcess, finder, judges, picture
from haechi.pipeline import Pipeline
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.types import Report
from haechi.web.app import build
from haechi.web.jobs.store import JobStore

BASE = "http://127.0.0.1:8765"
FAKE = partial(Pipeline, finder=finder, judges=judges())


@dataclass
class Site:
    """A running application."""

    client: TestClient
    folder: Path

    @property
    def jobs(self) -> JobStore:
        jobs: JobStore = self.client.app.state.jobs  # type: ignore[attr-defined]
        return jobs

    def send(self, content: bytes, name: str = "photo.png", **more: Any) -> Any:
        return self.client.post("/v1/checks", files={"file": (name, content)}, **more)

    def picture(self, says: str) -> bytes:
        """A PNG to which the stand-ins say this (see ``fakes``)."""
        file = self.folder.parent / f"{says}.png"
        return (file if file.exists() else picture(file, says)).read_bytes()

    def ended(self, address: str, wait_s: float = 20.0) -> Any:
        """What the address of a check answers when the job has ended."""
        end = time.monotonic() + wait_s
        while (answer := self.client.get(address)).status_code == 202:
            assert time.monotonic() < end, "the job does not end"
            time.sleep(0.01)
        return answer


class Start(Protocol):
    """start(make, settings, headers, **options) -> Site, stopped at the end of the test."""

    def __call__(
        self,
        make: Any = FAKE,
        settings: Settings | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Site: ...


def started(
    folder: Path,
    make: Any,
    settings: Settings | None,
    headers: dict[str, str] | None,
    *,
    processes: bool = False,
    watch: Any = None,
    look: Any = None,
    **options: Any,
) -> Site:
    """The application in ``folder``, not entered yet. ``make``: of the settings what checks in this process,
    or with ``processes`` what a ``Scheduler`` takes. ``watch``: what watches calls; ``look``: what looks at
    verifications."""
    make = make if processes else partial(InProcess, make)
    app = build(
        Options(**{"data_dir": folder, **options}), settings or Settings(), make=make, watch=watch, look=look
    )
    return Site(TestClient(app, base_url=BASE, client=("127.0.0.1", 50000), headers=headers or {}), folder)


class Slow:
    """A judge that waits until it is let go; ``fresh()`` makes one with events of its own."""

    go = threading.Event()
    begun = threading.Event()

    def __init__(self, settings: Settings) -> None:
        self._inner = FAKE(settings)

    @classmethod
    def fresh(cls) -> type[Slow]:
        return type("Slow", (cls,), {"go": threading.Event(), "begun": threading.Event()})

    def check(self, source: Any, progress: Any = None, **more: Any) -> Report:
        if progress is not None:
            progress("faces", 0.25)
            self.begun.set()
            while not self.go.wait(0.01):
                progress("faces", 0.5)
        return self._inner.check(source, progress, **more)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The members of a problem, held to RFC 9457 and to what we promise beyond it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["code"] == code
    assert told["status"] == status
    assert told["title"]
    assert told["detail"].endswith(".")
    assert told["type"] == f"/docs#{code}"
    assert told["instance"].startswith("/")
    return told
