"""A multipart body (RFC 7578) streamed into one file of the data folder.

The limits hold while the body is read: bytes, parts, headers, the values of fields. What the sender calls the
file is kept for people to read and never becomes a path.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from haechi.server_options import Options
from haechi.web.jobs.database import DatabaseError
from haechi.web.jobs.records import QueueFull
from haechi.web.jobs.store import JobStore
from haechi.web.problem import Problem
from haechi.web.rate_limit import TooManyAtOnce
from haechi.web.sessions import Sessions, caller_of

FIELD = "file"
OVERHEAD_BYTES = 64 * 1024
"""Room in a request for what is not the file: boundaries, headers, the other fields."""

_MOST_PARTS = 16
_MOST_VALUE_BYTES = 1024
_MOST_NAME = 150
_BUFFER_BYTES = 1024 * 1024
_SPARE_BYTES = 64 * 1024**2
_RETRY_S = "5"


@dataclass(slots=True)
class Form:
    """What a body held: the name of the file for display (None: there was none), and the other fields."""

    name: str | None = None
    size: int = 0
    fields: dict[str, str] = field(default_factory=dict)


async def accept(request: Request) -> str:
    """Read the upload of a request and submit it; the identifier of its job. Raises Problem."""
    jobs: JobStore = request.app.state.jobs
    options: Options = request.app.state.options
    client = request.client.host if request.client else ""
    patience_s = request.app.state.uploads_rate.take(client)
    if patience_s > 0:
        raise Problem(
            "rate_limited",
            f"More than {options.rate_per_min} uploads a minute came from this address: send fewer, or raise "
            "HAECHI_RATE_PER_MIN.",
            headers={"Retry-After": str(max(1, round(patience_s)))},
        )
    check_ready(request)
    boundary = boundary_of(request)
    _check_room(request, jobs, options)
    try:
        with request.app.state.uploads_slots.one(client), jobs.place() as file:
            form = await receive(request.stream(), boundary, file, options.max_upload_bytes)
            if form.name is None:
                raise Problem(
                    "no_file", "Send the picture or video as the form field `file`, with a file name."
                )
            return await run_in_threadpool(_submit, request, file, form.name)
    except TooManyAtOnce:
        raise Problem(
            "rate_limited",
            f"{options.uploads_per_address} uploads are coming from this address already: send one after "
            "another, or raise HAECHI_UPLOADS_PER_ADDRESS.",
            headers={"Retry-After": _RETRY_S},
        ) from None
    except QueueFull:
        raise Problem(
            "queue_full",
            f"{options.queue} jobs are waiting already: try again in a few seconds, or raise HAECHI_QUEUE.",
            headers={"Retry-After": _RETRY_S},
        ) from None
    except DatabaseError as error:
        if not error.full:
            raise
        raise _disk_full() from None
    except ClientDisconnect:
        raise Problem("bad_request", "The upload broke off before its end: send it again.") from None


def _submit(request: Request, file: Path, name: str) -> str:
    """The identifier of the job. Raises Problem when the sender's session ended while the file came."""
    jobs: JobStore = request.app.state.jobs
    sessions: Sessions = request.app.state.sessions
    owner = caller_of(request).owner
    id_ = jobs.submit(file, name, owner=owner)
    if sessions.departed(owner):  # asked last: who ends a session says so first, then deletes what there is
        jobs.drop(id_)
        raise Problem("bad_request", "The session ended before the file was there: nothing of it was kept.")
    return id_


def check_ready(request: Request) -> None:
    """Raises Problem when the models are known to be missing or altered."""
    fault = request.app.state.scheduler.fault
    if fault is not None:
        raise Problem.of(fault)


def switch(fields: Mapping[str, str], name: str) -> bool:
    """Yes or no as forms and people write it, no when it is missing. Raises Problem for anything else."""
    words = {"": False, "0": False, "false": False, "no": False, "off": False}
    words |= {"1": True, "true": True, "yes": True, "on": True}
    answer = words.get(fields.get(name, "").strip().lower())
    if answer is None:
        raise Problem("invalid", f"`{name}` is neither true nor false: write one of the two.")
    return answer


def display_name(name: str) -> str:
    """The last part of what the sender calls the file, for people to read: one line, printable, not long."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    text = "".join(c if c.isprintable() else "\ufffd" for c in last).strip()
    if len(text) > _MOST_NAME:
        text = f"{text[: _MOST_NAME - 21]}…{text[-20:]}"
    return text or "file"


async def receive(chunks: AsyncIterator[bytes], boundary: bytes, file: Path, most_bytes: int) -> Form:
    """Parse the body and write its file, readable to this user alone. Raises Problem."""
    parser = _Parts(most_bytes)
    machine = MultipartParser(boundary, parser.callbacks())  # type: ignore[arg-type]
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        async for chunk in chunks:
            machine.write(chunk)
            if len(parser.pending) >= _BUFFER_BYTES:
                await run_in_threadpool(_write, handle, parser.take())
                if shutil.disk_usage(file.parent).free < _SPARE_BYTES:  # others send at the same time
                    raise _disk_full()
        machine.finalize()
        if not parser.ended:
            raise Problem("bad_multipart", "The form ends in the middle: send it again.")
        await run_in_threadpool(_write, handle, parser.take(), last=True)
    except FormParserError:
        raise Problem(
            "bad_multipart", "The body does not follow RFC 7578: let a library make the form."
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise _disk_full() from None
    finally:
        os.close(handle)
    return parser.form


class _Parts:
    """Receives the pieces of a body from the parser. ``pending``: bytes of the file not written yet."""

    def __init__(self, most_bytes: int) -> None:
        self.form = Form()
        self.pending = bytearray()
        self.ended = False
        self._most_bytes = most_bytes
        self._parts = 0
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._field: str | None = None
        self._content = bytearray()

    def callbacks(self) -> dict[str, object]:
        names = "part_begin part_data part_end header_field header_value header_end headers_finished end"
        return {f"on_{name}": getattr(self, f"_{name}") for name in names.split()}

    def take(self) -> bytes:
        data = bytes(self.pending)
        self.pending.clear()
        return data

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Problem(
                "bad_multipart", f"The form has more than {_MOST_PARTS} parts: send the file alone."
            )
        self._disposition, self._field = b"", None
        self._content.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        name = _text(parameters.get(b"name", b""))
        if name != FIELD:
            self._field = name
            return
        if b"filename" not in parameters:
            raise Problem("no_file", "The field `file` is text: send it as a file, with a file name.")
        if self.form.name is not None:
            raise Problem("invalid", "The form holds more than one file: send one a request.")
        self.form.name = display_name(_text(parameters[b"filename"]))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            self.form.size += end - start
            if self.form.size > self._most_bytes:
                raise too_large(self._most_bytes)
            self.pending += data[start:end]
            return
        self._content += data[start:end]
        if len(self._content) > _MOST_VALUE_BYTES:
            raise Problem("bad_multipart", "A field of the form is too long: send the file as `file`.")

    def _part_end(self) -> None:
        if self._field is not None:
            self.form.fields[self._field] = _text(bytes(self._content))

    def _end(self) -> None:
        self.ended = True


def too_large(most_bytes: int) -> Problem:
    return Problem(
        "too_large",
        f"Files of more than {most_bytes:,} bytes are not taken: cut or reduce it, or raise "
        "HAECHI_MAX_UPLOAD_BYTES.",
    )


def _disk_full() -> Problem:
    return Problem("disk_full", "The disk of the server is full: free some room there and try again.")


def declared_bytes(headers: Headers) -> int:
    """The length that the sender declares; 0 without one that makes sense."""
    declared = headers.get("content-length", "")
    return (
        int(declared[:20]) if declared.isdecimal() else 0
    )  # more digits than that Python may refuse to read


def boundary_of(request: Request) -> bytes:
    """What parts the body of a request. Raises Problem when it is no multipart form."""
    kind, parameters = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise Problem("not_multipart", "Send a form of type multipart/form-data with the field `file`.")
    boundary = parameters.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise Problem("bad_multipart", "The form has no valid boundary: let a library make it.")
    return boundary


def _check_room(request: Request, jobs: JobStore, options: Options) -> None:
    """Refuse by what the sender declares, before anything is read."""
    size = declared_bytes(request.headers)
    if size > options.max_upload_bytes + OVERHEAD_BYTES:
        raise too_large(options.max_upload_bytes)
    if jobs.free_bytes() < size + _SPARE_BYTES:
        raise _disk_full()


def _text(data: bytes) -> str:
    """Bytes of a form as text: UTF-8 as browsers send it."""
    return data.decode("utf-8", "replace")


def _write(handle: int, data: bytes, *, last: bool = False) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    if last:
        os.fsync(handle)  # the sender is told that the job survives; it must
