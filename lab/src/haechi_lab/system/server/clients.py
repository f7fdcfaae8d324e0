"""What people do with ``haechi serve`` at the same time, over and over, until it ends under their hands."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence

PASSPHRASE = "for measurements only"
_BOUNDARY = "bound"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_MULTIPART = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
#: What is done, and how often in comparison.
ACTIONS = {"upload": 4, "pages": 2, "add": 2, "minor": 1, "bundle": 4, "search": 4}


class BrowserClient:
    """A browser of its own. Every method raises OSError or HTTPException when the server is gone."""

    def __init__(self, port: int, cookies: Mapping[str, str] | None = None) -> None:
        self.port, self.cookies = port, dict(cookies or {})

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        kind: dict[str, str] | None = None,
        *,
        slow: bool = False,
    ) -> tuple[int, str, bytes]:
        """Status, Location and body of the answer. ``slow``: it is read in small pieces, with pauses."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            line.request(method, path, body, {**(kind or {}), "Cookie": cookies, "Accept": "text/html"})
            answer = line.getresponse()
            for cookie in answer.headers.get_all("set-cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            content = b""
            while piece := answer.read(64 * 1024):
                content += piece if len(content) < 1_000_000 else b""
                time.sleep(0.02 if slow else 0)
            return answer.status, answer.headers.get("location", ""), content
        finally:
            line.close()

    def send(self, path: str, content: bytes, **fields: str) -> tuple[int, str, bytes]:
        """A form with one file."""
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, f"\r\n--{_BOUNDARY}--\r\n".encode()])
        return self.ask("POST", path, body, _MULTIPART)

    def new_case(self, *, encrypted: bool) -> str:
        """The address of a new case."""
        secret = PASSPHRASE.replace(" ", "+") if encrypted else ""
        lock = "passphrase" if encrypted else "none"
        form = f"title=measured&lock={lock}&passphrase={secret}&again={secret}".encode()
        return self.ask("POST", "/cases", form, _FORM)[1]

    def unlock(self, case: str) -> None:
        form = f"passphrase={PASSPHRASE.replace(' ', '+')}".encode()
        self.ask("POST", f"{case}/unlock", form, _FORM)


class ClientPool:
    """``hands`` clients at the same time, who share the session of ``first``. ``under_way``: what they are
    doing at this moment."""

    def __init__(
        self,
        first: BrowserClient,
        cases: Sequence[str],
        photos: Sequence[bytes],
        rng: random.Random,
        hands: int = 4,
    ) -> None:
        self._first, self._cases, self._photos = first, cases, photos
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._doing: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()
        seeds = [rng.getrandbits(32) for _ in range(hands)]
        self._threads = [threading.Thread(target=self._act, args=(seed,), daemon=True) for seed in seeds]
        for thread in self._threads:
            thread.start()

    def under_way(self) -> list[str]:
        with self._lock:
            return sorted(self._doing.elements())

    def leave(self) -> None:
        """Wait until all have given up; the server is gone by then."""
        self._leaving.set()
        for thread in self._threads:
            thread.join(60)

    def _act(self, seed: int) -> None:
        rng, client = random.Random(seed), BrowserClient(self._first.port, self._first.cookies)
        try:
            while not self._leaving.is_set():
                action = rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]
                with self._lock:
                    self._doing[action] += 1
                try:
                    status = self._once(action, client, rng)
                finally:
                    with self._lock:
                        self._doing[action] -= 1
                self.answers[status] += 1
        except (OSError, http.client.HTTPException):
            return  # the server has ended

    def _once(self, action: str, client: BrowserClient, rng: random.Random) -> int:
        case, photo = rng.choice(self._cases), rng.choice(self._photos)
        if action == "upload":
            return client.send("/v1/checks", photo)[0]
        if action == "search":
            return client.send(f"{case}/match", photo)[0]
        if action == "bundle":
            return client.ask("GET", f"{case}/bundle.zip", slow=True)[0]
        if action == "pages":
            return client.ask("GET", rng.choice(["/", "/cases", case, f"{case}/verify", "/help"]))[0]
        more = {"minor": "1"} if action == "minor" else {"note": "seen"}
        # Nobody's: what is added as a minor's is deleted wherever the case holds it.
        content = photo if action == "add" else photo + bytes(rng.getrandbits(8) for _ in range(16))
        return client.send(f"{case}/add", content, **more)[0]
