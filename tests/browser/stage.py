"""A server in a thread whose judge tells prepared reports by the name of the file, so that pages can be shown
every kind of result at once; and a visitor who notes all that a page does."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from machine import DESKTOP, LOCALES

from fakes import InProcess
from haechi.errors import UnknownFormat
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.types import Preview, Report
from haechi.web.app import build
from report_cases import clean, clip, nothing, photo, stated


def upright() -> Report:
    """As a phone takes it: nine to sixteen."""
    preview = Preview(np.full((640, 360, 3), (70, 90, 120), np.uint8), 0.0, 0.5)
    report = photo("IMG_20260102_030405_a_name_that_is_longer_than_a_line.jpg")
    return replace(
        report, media=replace(report.media, width_px=720, height_px=1280), faces=(), previews=(preview,)
    )


def unsure() -> Report:
    """Nothing can be told, but there is a picture to show."""
    return replace(nothing(), previews=photo().previews)


#: What the first bytes of a file make of it; whatever else is unreadable.
KINDS = {
    **{b"strong": photo, b"clean": clean, b"nothing": nothing, b"\x89PNG": photo, b"\xff\xd8": clean},
    **{b"upright": upright, b"unsure": unsure, b"stated": stated},
}


class Teller:
    """A judge that tells a prepared report. It takes a moment, so that progress can be seen."""

    def __init__(self, settings: Settings) -> None:
        pass

    def check(self, source: Any, progress: Any = None, **_: Any) -> Report:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        if progress is None:
            return photo()
        for stage, part in (("open", 0.0), ("faces", 0.3), ("swap", 0.7), ("verdict", 0.95)):
            progress(stage, part)
            time.sleep(0.02)
        made = clip if data[4:8] == b"ftyp" or data.startswith(b"video") else None
        made = made or next((make for start, make in KINDS.items() if data.startswith(start)), None)
        if made is None:
            raise UnknownFormat("The content is no picture or video.")
        report = made()
        return replace(report, media=replace(report.media, sha256=hashlib.sha256(data).hexdigest()))


@contextmanager
def staged(folder: Path, watch: Any = None, look: Any = None, **more: Any) -> Iterator[str]:
    """The address of a server with that judge; ``watch``: what watches calls; ``look``: what looks at
    verifications; ``more`` options. It is bound to this machine, whatever they say."""
    options = Options(**{"port": 0, "data_dir": folder, **more})
    app = build(options, Settings(), make=partial(InProcess, Teller), watch=watch, look=look)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, ws="websockets-sansio", log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
        assert thread.is_alive()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class Visitor:
    """A page in a browser of its own, and what it did. ``base``: the address of the server."""

    page: Any
    base: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))

    def goto(self, path: str) -> None:
        self.page.goto(self.base + path)

    def give(self, name: str, content: bytes, mime: str = "image/png") -> None:
        """Choose a file on the first page."""
        self.page.set_input_files("#file", {"name": name, "mimeType": mime, "buffer": content})

    def result(self, name: str = "photo.png", content: bytes = b"strong", mime: str = "image/png") -> None:
        """Check a file and wait for its result."""
        self.goto("/")
        self.give(name, content, mime)
        self.page.wait_for_selector("#result")

    def answer(self, age: str = "adult", country: str = "") -> None:
        """Answer the two questions that the page asks before it gives advice."""
        self.page.locator(f"input[name=age][value={age}]").check()
        self.page.select_option("#ask-country", country)
        self.page.locator(".questions button[type=submit]").click()
        self.page.wait_for_selector("#answered, form#keep")

    def left_the_machine(self) -> list[str]:
        """Requests to anywhere else; there must be none."""
        own = (self.base + "/", "blob:", "data:", "about:")
        return [address for address in self.asked if not address.startswith(own)]

    def complaints(self) -> list[str]:
        """What the browser blocked, and errors of scripts; not the answers that are errors on purpose."""
        harmless = ("Failed to load resource", "verbose:")
        return [said for said in self.said if not any(word in said for word in harmless)]

    def too_wide(self) -> bool:
        """Whether one has to scroll sideways."""
        script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(script))


@contextmanager
def visits(browser: Any, address: str, timeout_ms: int) -> Iterator[Callable[..., Visitor]]:
    """arrive(lang, size, before, **context) -> a visitor of the page at an address; ``before``: a script that
    takes from the browser what others lack. In the end none asked anywhere else or was complained of."""
    base, _, path = address.rpartition("/")
    visitors: list[Visitor] = []

    def arrive(lang: str = "en", size: Any = DESKTOP, before: str = "", **more: Any) -> Visitor:
        context = browser.new_context(locale=LOCALES[lang], viewport=size, **more)
        context.set_default_timeout(timeout_ms)
        if before:
            context.add_init_script(before)
        visitor = Visitor(context.new_page(), base)
        visitor.watch()
        visitors.append(visitor)
        visitor.goto(f"/{path}")
        return visitor

    yield arrive
    for visitor in visitors:
        visitor.page.context.close()
    for visitor in visitors:
        assert visitor.left_the_machine() == []
        assert visitor.complaints() == []
