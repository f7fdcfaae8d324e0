"""A small client of ``haechi serve``, made of the standard library alone.

    with Client("http://127.0.0.1:8765") as client:
        report = client.check("photo.jpg")        # a Report, as haechi.check gives it
        print(report.verdict.level)

    send(source) -> id      state(id) -> State      report(id) -> Report      drop(id) -> bool

What the server says as a problem (RFC 9457) is raised as the error of ``haechi.errors`` that it means: an
InputError when the file could not be read, a ModelError, and ServerError for all that is about the server.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias
from urllib.parse import quote, urlsplit

from haechi.errors import HaechiError, InputError, ModelError, NotAFile, OverLimit, ServerError, UsageError
from haechi.report import Report, archive

Source: TypeAlias = str | os.PathLike[str] | bytes
Progress: TypeAlias = Callable[[str, float], None]

_CHUNK = 256 * 1024
_WAIT_S = 20
_BUSY_S = 600.0
_ACCEPT = f"{archive.MEDIA_TYPE}, application/problem+json, application/json"
_SENT = 0.05
_KINDS: tuple[type[HaechiError], ...] = (InputError, *InputError.__subclasses__(), ModelError)
_ERRORS: Mapping[str, type[HaechiError]] = {"too_large": OverLimit, **{kind.code: kind for kind in _KINDS}}


@dataclass(frozen=True, slots=True)
class State:
    """How far a job is: status "waiting", "running" or "done"; part in [0, 1]; ahead: jobs before it."""

    status: str
    stage: str
    part: float
    ahead: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise _strange() from None


class Client:
    """One server. Connections are kept between requests, so an object must not be used by two threads at
    once. ``timeout_s``: longest silence of the server."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 60.0) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            self._host = ""
        if not self._host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            raise UsageError("The address of the server is not valid: write it as http://127.0.0.1:8765")
        self._tls, self._path = parts.scheme == "https", parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def check(self, source: Source, progress: Progress | None = None) -> Report:
        """Send a file, wait for its report, and have the server delete it. Raises as ``haechi.check`` does,
        and ServerError. While the server has no room, it is asked again for up to ten minutes."""
        tell = progress or (lambda _stage, _part: None)
        answer = self._upload(source, tell, wait=True)
        id_ = _identifier(answer)
        try:
            self._check(answer, 200, 202)
            if answer.status == 200:
                return archive.load(answer.body)
            while (state := self.state(id_)).status != "done":
                tell(state.stage, _SENT + (1 - _SENT) * state.part)
                time.sleep(0.05 if state.ahead == 0 else 0.25)
            return self.report(id_)
        finally:
            self._forget(id_)

    def send(self, source: Source, progress: Progress | None = None) -> str:
        """Send a file; the identifier of its job."""
        tell = progress or (lambda _stage, _part: None)
        answer = self._upload(source, tell, wait=False)
        self._check(answer, 202)
        if not (id_ := _identifier(answer)):
            raise _strange()
        return id_

    def state(self, id_: str) -> State:
        """How far the job is. Raises what it ended with, when it failed."""
        answer = self._ask("GET", _address(id_))
        self._check(answer, 200, 202)
        if answer.status == 200:
            return State("done", "done", 1.0, 0)
        body = answer.json()
        return State(str(body["status"]), str(body["stage"]), float(body["part"]), int(body["ahead"]))

    def report(self, id_: str) -> Report:
        """The report of a job that is done: every language and format can be made of it."""
        answer = self._ask("GET", f"{_address(id_)}/report.haechi")
        self._check(answer, 200)
        return archive.load(answer.body)

    def report_json(self, id_: str, lang: str = "en") -> dict[str, Any]:
        """The same as ``haechi.report/1``."""
        answer = self._ask("GET", f"{_address(id_)}?lang={quote(lang)}")
        self._check(answer, 200)
        report: dict[str, Any] = answer.json()
        return report

    def drop(self, id_: str) -> bool:
        """Have a job and all that belongs to it deleted; False when there is none."""
        answer = self._ask("DELETE", _address(id_))
        if answer.status != 404:
            self._check(answer, 204)
        return answer.status == 204

    def models(self) -> list[dict[str, Any]]:
        """The cards of the models of the server."""
        answer = self._ask("GET", "/v1/models")
        self._check(answer, 200)
        cards: list[dict[str, Any]] = answer.json()["models"]
        return cards

    def metrics(self) -> str:
        """What the server has done, in the text format of Prometheus."""
        answer = self._ask("GET", "/metrics")
        self._check(answer, 200)
        return answer.body.decode("utf-8", "replace")

    def ready(self) -> bool:
        """Whether uploads would be judged at once."""
        return self._ask("GET", "/readyz").status == 200

    def _upload(self, source: Source, tell: Progress, *, wait: bool) -> _Answer:
        """Send until there is room. ``wait``: for an answer when the job has ended, if soon."""
        preferences = {"Prefer": f"wait={_WAIT_S}", "Accept": _ACCEPT} if wait else {}
        end = time.monotonic() + _BUSY_S
        with _opened(source) as (file, size, name):
            while True:
                file.seek(0)
                answer = self._send_form(file, size, name, preferences, tell)
                if answer.status != 429 or time.monotonic() > end:
                    return answer
                tell("busy", 0.0)
                time.sleep(_seconds(answer.headers.get("retry-after", "")))

    def _forget(self, id_: str) -> None:
        """Results expire by themselves: that this one cannot be deleted now must not hide what happened."""
        try:
            if id_:
                self.drop(id_)
        except ServerError:
            self.close()

    def _ask(self, method: str, path: str) -> _Answer:
        """One request without a body; a connection that has gone stale is opened anew once."""
        for fresh in (self._connection is None, True):
            connection = self._open()
            try:
                connection.request(method, self._path + path, headers=self._headers)
                return self._answer(connection)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if fresh:
                    raise self._unreachable(error) from None
        raise _strange()

    def _send_form(
        self,
        file: BinaryIO,
        size: int,
        name: str,
        preferences: Mapping[str, str],
        tell: Progress,
    ) -> _Answer:
        """POST the file as multipart/form-data (RFC 7578), without ever holding it whole."""
        mark = f"haechi-{secrets.token_hex(16)}"
        file_name = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode("utf-8", "replace")
        tail = f"\r\n--{mark}--\r\n".encode()
        self.close()  # a stale connection must not swallow an upload
        connection = self._open()
        try:
            connection.putrequest("POST", f"{self._path}/v1/checks")
            length = len(head) + size + len(tail)
            headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Content-Length": str(length)}
            for key, value in {**self._headers, **preferences, **headers}.items():
                connection.putheader(key, value)
            connection.endheaders()
            try:
                connection.send(head)
                position = 0
                while position < size and (chunk := file.read(min(_CHUNK, size - position))):
                    connection.send(chunk)
                    position += len(chunk)
                    tell("upload", _SENT * position / size)
                if position < size:
                    self.close()
                    raise NotAFile("The file became shorter while it was read: send it when it is complete.")
                connection.send(tail)
            except (BrokenPipeError, ConnectionResetError):
                self._connection = connection  # refused in the middle: the reason has come back already
            return self._answer(connection)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._unreachable(error) from None

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self._timeout_s)
        return self._connection

    def _answer(self, connection: http.client.HTTPConnection) -> _Answer:
        response = connection.getresponse()
        body = response.read()
        if response.will_close:
            self.close()
        return _Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)

    def _check(self, answer: _Answer, *expected: int) -> None:
        """Raises the error that a problem means."""
        if answer.status in expected:
            return
        if not answer.headers.get("content-type", "").startswith("application/problem+json"):
            raise _strange()
        body = answer.json()
        code, detail = str(body.get("code", "")), str(body.get("detail", ""))
        raise _ERRORS.get(code, ServerError)(f"{detail} (said by the server)" if detail else code)

    def _unreachable(self, error: Exception) -> ServerError:
        why = getattr(error, "strerror", None) or type(error).__name__
        return ServerError(
            f"The server at {self._host} does not answer ({why}): start it with `haechi serve`, or check the "
            "address."
        )


class RemoteChecker:
    """A server in the place of ``haechi.pipeline.Pipeline``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def check(
        self,
        source: Source,
        progress: Progress | None = None,
        *,
        previews: bool = False,  # noqa: ARG002
        then: Source | None = None,  # noqa: ARG002
    ) -> Report:
        """As ``Pipeline.check``; ``previews`` come always, and ``then`` is the server's own affair."""
        return self._client.check(source, progress)


@contextmanager
def _opened(source: Source) -> Iterator[tuple[BinaryIO, int, str]]:
    """The bytes, how many, and the name. Raises NotAFile."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        yield BytesIO(data), len(data), "<bytes>"
        return
    path = Path(source)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotAFile("This is a folder or a device, not a file: give a file.")
        file = path.open("rb")
    except FileNotFoundError:
        raise NotAFile("There is no such file: check the name and the folder.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "a name that no file can have"
        raise NotAFile(f"The file cannot be opened ({why}): check its name and permissions.") from None
    with file:
        name = os.fsencode(path.name).decode("utf-8", "replace")
        yield file, os.fstat(file.fileno()).st_size, name


def _identifier(answer: _Answer) -> str:
    """Of the job that an upload became; empty when it became none."""
    return answer.headers.get("location", "").rpartition("/")[2]


def _address(id_: str) -> str:
    return f"/v1/checks/{quote(id_, safe='')}"


def _seconds(text: str) -> float:
    """A Retry-After in seconds, within reason."""
    return min(max(float(text), 0.2), 30.0) if text.isdecimal() else 1.0


def _strange() -> ServerError:
    return ServerError("What answers there is no server of Haechi, or one of another age: check the address.")
