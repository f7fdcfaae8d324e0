"""A call on the page *Calls*, from the camera to the answer: headless Chromium with a camera that plays a
file, a real loopback WebSocket and all networks."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

import cv2
import numpy as np

from haechi.errors import UsageError
from haechi_lab.system.server.devtools import Chromium, Tab
from haechi_lab.system.server.process import Server, scratch
from haechi_lab.system.server.result import row

_SIZE = (1280, 720)
_FRAMES = 90
_WARM_UP_S = 5.0
_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=30")
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
    with scratch() as folder, Server(Path(folder) / "server") as server:
        film = Path(folder) / "camera.mjpeg"
        film.write_bytes(b"".join(_film(photo)))
        for name, script in (("", ""), (", by the clock of other browsers", _NO_PROCESSOR)):
            with Chromium(chromium, *_CAMERA, f"--use-file-for-fake-video-capture={film}") as browser:
                page = browser.open(f"{server.address}/live", _NOTE + script)
                page.wait("document.readyState === 'complete'", 30)
                page.value("document.getElementById('live-camera').click()")
                page.wait("answers.length > 0", 60)
                time.sleep(_WARM_UP_S)
                before_mb = _family_mb(server)
                rows += _part(page, server, seconds, f"page in front{name}", least=5.0, has_bar=not name)
                browser.open("about:blank")
                page.wait("document.visibilityState === 'hidden'", 10)
                rows += _part(page, server, seconds, f"page hidden{name}", least=4.5, has_bar=not name)
                after_mb = _family_mb(server)
            rows.append(row(f"memory of the server and the call's process{name}", after_mb, "MB"))
            growth = 100 * (after_mb / before_mb - 1)
            rows.append(row(f"growth of it in {2 * seconds / 60:g} minutes{name}", growth, "%", 5.0))
    return rows, {"seconds": seconds, "size_px": list(_SIZE)}


def _part(
    page: Tab, server: Server, seconds: float, name: str, *, least: float, has_bar: bool
) -> list[dict[str, Any]]:
    """Figures of some seconds of the call."""
    page.value("answers.length = 0")
    cpu_s, begin = _cpu_s(server), time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - begin
    share = (_cpu_s(server) - cpu_s) / lasted
    answers: Sequence[tuple[float, float, str]] = page.value("answers")
    waits = sorted(wait for _, wait, _ in answers) or [math.inf]
    unjudged = sum(level == "no_picture" for _, _, level in answers)
    late = waits[min(len(waits) - 1, math.ceil(0.95 * len(waits)) - 1)]
    return [
        row(f"{name}: frames a second", len(answers) / lasted, "", least if has_bar else None, least=True),
        row(f"{name}: from the frame to the answer, 95th percentile", late, "ms", 200 if has_bar else None),
        row(f"{name}: processors that the server kept busy", share, ""),
        row(f"{name}: answers of no picture", unjudged, ""),
    ]


def _film(photo: Path) -> Iterator[bytes]:
    """Frames of somebody who moves a little before a wall, with the noise of a camera."""
    face = cv2.imread(str(photo))
    if face is None:
        raise UsageError(f"{photo.name} is no picture that can be read: name another with --photo.")
    width, height = _SIZE
    noise = np.random.default_rng(0).integers(-5, 6, (height, width, 3), np.int16)
    face = cv2.resize(face, (height - 120, height - 120), interpolation=cv2.INTER_AREA)
    for number in range(_FRAMES):
        angle = 2 * math.pi * number / _FRAMES
        x, y = round(330 + 40 * math.sin(angle)), round(60 + 20 * math.cos(2 * angle))
        frame = np.full((height, width, 3), (90, 100, 105), np.int16)
        frame[y : y + face.shape[0], x : x + face.shape[1]] = face
        pixels = np.clip(frame + np.roll(noise, 37 * number), 0, 255).astype(np.uint8)
        yield cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _cpu_s(server: Server) -> float:
    """Processor seconds of the server and of all that it started."""
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in _family(server))
    return ticks / os.sysconf("SC_CLK_TCK")


def _family_mb(server: Server) -> float:
    """Memory of the same in RAM."""
    return sum(int(fields[21]) for fields in _family(server)) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _family(server: Server) -> list[list[str]]:
    """What Linux tells in /proc/PID/stat, from the state on, of the server and of all that it started."""
    processes: dict[int, list[str]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            text = file.read_text(encoding="ascii", errors="replace")
            processes[int(file.parent.name)] = text.rpartition(")")[2].split()
    family = {server.pid}
    while grown := {pid for pid, fields in processes.items() if int(fields[1]) in family} - family:
        family |= grown
    return [processes[pid] for pid in sorted(family & processes.keys())]
