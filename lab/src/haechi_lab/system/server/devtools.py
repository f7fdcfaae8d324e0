"""Chromium by its DevTools protocol, for what Playwright hides: it makes every tab believe that it is in
front, and a page must be measured hidden, too."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

from haechi.errors import HaechiError

_ANSWER_S = 30.0


class Chromium:
    """A browser without a window, with a profile of its own that goes with it. ``flags`` are added to its
    command line. A tab that is opened later lies before those that were opened earlier."""

    def __init__(self, program: str, *flags: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="haechi-bench-browser-")
        # No sandbox: continuous integration runs as root, and every page that is opened is ours.
        command = [program, "--headless=new", "--no-sandbox", "--remote-debugging-port=0", *flags]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
        )
        self._numbers = itertools.count(1)
        self._line = connect(self._address(), max_size=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait(30)
        if self._process.stderr is not None:
            self._process.stderr.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, address: str, before: str = "") -> Tab:
        """A new tab in front. ``before``: a script that runs before those of the page."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        self.ask("Page.enable", session)
        self.ask("Page.addScriptToEvaluateOnNewDocument", session, source=before)
        self.ask("Page.navigate", session, url=address)
        return tab

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """What the browser answers. Raises HaechiError when that is an error."""
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": parameters}
        self._line.send(json.dumps(order if session is None else {**order, "sessionId": session}))
        while (answer := json.loads(self._line.recv(_ANSWER_S))).get("id") != number:
            pass  # events, which nobody here waits for
        if "error" in answer:
            raise HaechiError(f"The browser refused {method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _address(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if match := re.search(r"ws://\S+", line):
                return match[0]
        raise HaechiError("The browser ended before it began: run it by hand to see why.")


class Tab:
    """A page in a browser."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser, self._session = browser, session

    def value(self, expression: str) -> Any:
        """What an expression comes to, as if the person at the browser had caused it. Raises HaechiError."""
        answer = self._browser.ask(
            "Runtime.evaluate", self._session, expression=expression, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise HaechiError(f"The page broke down: {answer['exceptionDetails'].get('text')}")
        return answer["result"].get("value")

    def wait(self, expression: str, wait_s: float) -> None:
        """Until an expression is true. Raises HaechiError when it does not become so in time."""
        end = time.monotonic() + wait_s
        while not self.value(expression):
            if time.monotonic() > end:
                raise HaechiError(f"The page did not come to this within {wait_s:g} s: {expression}")
            time.sleep(0.1)
