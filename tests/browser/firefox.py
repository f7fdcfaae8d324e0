"""Debian's firefox-esr by WebDriver BiDi (W3C), with the fake camera that it brings along: Playwright drives
builds of its own only."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

from websockets.sync.client import ClientConnection, connect

FIREFOX = which("firefox-esr") or which("firefox")
PREFERENCES = {
    "media.navigator.streams.fake": True,  # a picture that changes all the time, without a face
    "media.navigator.permission.disabled": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
}


class FirefoxPage:
    """A tab of Firefox. Errors of the protocol raise."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._numbers = line, itertools.count(1)
        self._ask("session.new", capabilities={})
        self._context = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def goto(self, address: str) -> None:
        self._ask("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def value(self, expression: str) -> Any:
        """What an expression comes to, as if somebody at the browser had caused it."""
        answer = self._ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    def wait(self, expression: str, wait_s: float = 30.0) -> None:
        end = time.monotonic() + wait_s
        while not self.value(expression):
            assert time.monotonic() < end, f"it does not come to this: {expression}"
            time.sleep(0.1)

    def another_in_front(self) -> None:
        """Open a tab that hides this one."""
        other = self._ask("browsingContext.create", type="tab")["context"]
        self._ask("browsingContext.activate", context=other)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._line.recv(60))).get("id") != number:
            pass
        assert answer["type"] == "success", answer
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def firefox(profile: Path) -> Iterator[FirefoxPage]:
    """A page of a Firefox without a window, its profile in an empty folder."""
    lines = [f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [str(FIREFOX), "--headless", "--no-remote", "--remote-debugging-port=0"]
    with subprocess.Popen(
        [*command, "--profile", str(profile)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            while not (match := re.search(r"ws://\S+", line := process.stderr.readline())):
                assert line, "Firefox ended before it began"
            with connect(f"{match[0]}/session", max_size=None, origin=None) as line_:
                yield FirefoxPage(line_)
        finally:
            process.terminate()
