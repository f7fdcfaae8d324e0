"""A call on the page *Calls*, from the camera to the answer: headless Chromium with a camera that plays a
file, a real loopback WebSocket and all networks."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi_lab.system.server.process import Server, scratch
from haechi_lab.system.server.result import row

_SIZE = (1280, 720)
_FRAMES = 90
_WARM_UP_S = 5.0
# Notes when each answer came, how many ms after its frame, and whether there was one.
_NOTE = """
  window.answers = [];
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (data.kind === "state" && data.size) answers.push([performance.now(), data.waitMs, data.level]);
      });
    }
  };
"""
# What Firefox lacks.
_NO_PROCESSOR = """
  delete window.MediaStreamTrackProcessor;
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, transfer) {
    if (message.kind === "track") throw new DOMException("not here", "DataCloneError");
    return post.call(this, message, transfer);
  };
"""


def live_page(photo: Path, seconds: float) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts of a call in which ``photo`` is moved about, each part of it ``seconds`` long. Raises
    UsageError where the browser is missing."""
    chromium = which("chromium") or which("chromium-browser")
    if chromium is None:
        raise UsageError("This drives Debian's chromium, which is not installed: apt install chromium.")
    rows: list[dict[str, Any]] = []
    hidden = []
    with scratch() as folder, Server(Path(folder) / "server") as server:
        film = Path(folder) / "camera.mjpeg"
        film.write_bytes(b"".join(_film(photo)))
        for name, script in (("", ""), (", by the clock of other browsers", _NO_PROCESSOR)):
            with _call(chromium, film, server.address, script) as (page, away):
                time.sleep(_WARM_UP_S)
                rows += _part(page, server, seconds, f"page in front{name}", least=5.0, judged=not name)
                away()
                hidden.append(page.evaluate("document.visibilityState") == "hidden")
                rows += _part(page, server, seconds, f"page hidden{name}", least=4.5, judged=not name)
    return rows, {"seconds": seconds, "size_px": list(_SIZE), "was_hidden": hidden}


def _part(
    page: Any, server: Server, seconds: float, name: str, *, least: float, judged: bool
) -> list[dict[str, Any]]:
    """Figures of some seconds of the call."""
    page.evaluate("answers.length = 0")
    cpu_s, begin = _cpu_s(server), time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - begin
    share = (_cpu_s(server) - cpu_s) / lasted
    answers: Sequence[tuple[float, float, str]] = page.evaluate("answers")
    waits = sorted(wait for _, wait, _ in answers) or [math.inf]
    unjudged = sum(level == "no_picture" for _, _, level in answers)
    late = waits[min(len(waits) - 1, math.ceil(0.95 * len(waits)) - 1)]
    return [
        row(f"{name}: frames a second", len(answers) / lasted, "", least if judged else None, least=True),
        row(f"{name}: from the frame to the answer, 95th percentile", late, "ms", 200 if judged else None),
        row(f"{name}: processors that the server kept busy", share, ""),
        row(f"{name}: answers of no picture", unjudged, ""),
    ]


@contextmanager
def _call(chromium: str, film: Path, address: str, script: str) -> Iterator[tuple[Any, Any]]:
    """The page of a call that runs, and what puts another tab before it."""
    from playwright.sync_api import sync_playwright

    flags = [
        *("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=30"),
        f"--use-file-for-fake-video-capture={film}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        context = browser.new_context()
        page = context.new_page()
        page.add_init_script(_NOTE + script)
        page.goto(f"{address}/live")
        page.locator("#live-camera").click()
        page.locator("#live-pace:not(:empty)").wait_for(timeout=60_000)

        def away() -> None:
            # Playwright makes every tab believe that it is in front.
            for other in (page, context.new_page()):
                context.new_cdp_session(other).send("Emulation.setFocusEmulationEnabled", {"enabled": False})
            other.bring_to_front()
            time.sleep(1)

        yield page, away
        browser.close()


def _film(photo: Path) -> Iterator[bytes]:
    """Frames of somebody who moves a little before a wall, with the noise of a camera."""
    face = cv2.imread(str(photo))
    if face is None:
        raise UsageError(f"{photo.name} is no picture that can be read: name another with --photo.")
    rng, (width, height) = np.random.default_rng(0), _SIZE
    face = cv2.resize(face, (height - 120, height - 120), interpolation=cv2.INTER_AREA)
    for number in range(_FRAMES):
        angle = 2 * math.pi * number / _FRAMES
        x, y = round(330 + 40 * math.sin(angle)), round(60 + 20 * math.cos(2 * angle))
        frame = np.full((height, width, 3), (90, 100, 105), np.float32)
        frame[y : y + face.shape[0], x : x + face.shape[1]] = face
        frame += rng.normal(0, 3, frame.shape)
        pixels = np.clip(frame, 0, 255).astype(np.uint8)
        yield cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _cpu_s(server: Server) -> float:
    """Processor seconds of the server and of all that it started; 0 where the system does not tell."""
    parents, times = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents[int(file.parent.name)] = int(fields[1])
        times[int(file.parent.name)] = int(fields[11]) + int(fields[12])
    family = {server.pid}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(times.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")
