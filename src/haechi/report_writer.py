"""Where reports go: one after another to stdout, or one file each into a folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from haechi import report as reports
from haechi.errors import HaechiError, UsageError
from haechi.media import display_name
from haechi.terminal import base_name, drawn, encoding, put, say
from haechi.types import Report

_SUFFIXES = {"json": "json", "html": "html", "proof": "proof.txt"}  # of what can be written as files
# Room for a hash and a suffix in the 255 bytes that file systems allow a name.
_LONGEST_NAME = 200


class ReportWriter:
    """Prints or writes reports as they come. Used as a context, which closes the list that ``json`` prints
    when there are several inputs."""

    def __init__(self, form: str, out: Path | None, lang: str, *, count: int, quiet: bool) -> None:
        if out is not None and form not in _SUFFIXES:
            raise UsageError(f"--out writes {' or '.join(_SUFFIXES)}; add --format json, html or proof")
        if form == "html" and out is None and count > 1:
            raise UsageError("Several HTML reports need a folder: add --out DIR")
        if out is not None:
            try:
                out.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"--out: no folder can be made there ({error.strerror})") from None
        self.format, self.quiet = form, quiet
        self._out, self._lang, self._count = out, lang, count
        self._list = form == "json" and out is None and count > 1
        self._printed = 0
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After a breakdown the list stays open on purpose: half an answer must not parse as a whole one.
        if self._list and error is None:
            put("\n]")

    def render(self, report: Report) -> str:
        """The report in the format of this output, ready for ``write``."""
        if self.format == "html":
            return reports.render_html(report, self._lang)
        if self.format == "proof":
            return reports.render_proof(report, self._lang).removesuffix("\n")
        if self.format != "text":
            return self._json(reports.to_dict(report, self._lang))
        text = drawn(lambda console: reports.render_text(report, console, self._lang))
        return text.removesuffix("\n")

    def write(self, path: str, text: str) -> None:
        """Print or write what ``render`` made. Raises UsageError when it cannot be written."""
        if self.format in ("text", "proof") and self._printed:
            put("")
        self._emit(path, text)

    def failure(self, path: str, error: HaechiError) -> None:
        """Put the error where the report would have been; the formats for people leave it to stderr, and so
        does a run of one input."""
        if self._count > 1 and self.format in ("json", "jsonl"):
            self._emit(path, self._json(reports.error_dict(display_name(path), error)))

    def _json(self, value: dict[str, Any]) -> str:
        # Outside UTF-8 only pure ASCII survives the way to the reader.
        ascii_only = self._out is None and "utf" not in encoding().lower()
        indent = None if self.format == "jsonl" else 2
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent, allow_nan=False)

    def _emit(self, path: str, text: str) -> None:
        if self._out is not None:
            self._write(self._out / self._file_name(path), text)
            return
        if self._list:
            put("[" if self._printed == 0 else ",")
        # A page says in its head that it is UTF-8, so it must be, whatever the terminal's encoding.
        put(text, end="" if self._list else "\n", utf8=self.format == "html")
        self._printed += 1

    def _write(self, target: Path, text: str) -> None:
        try:
            # For its owner alone: there may be pictures of a person in it.
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                if hasattr(os, "fchmod"):
                    os.fchmod(handle, 0o600)  # it may have been there before, open to others
                file.write(text + "\n")
        except OSError as error:
            raise UsageError(f"--out: {target.name} cannot be written ({error.strerror})") from None
        if not self.quiet:
            say(f"wrote {target}")

    def _file_name(self, path: str) -> str:
        """The input's name and the format's; with a short hash of the path when the name is taken."""
        name = (
            base_name(path)
            .replace("\\", "_")
            .encode(errors="replace")[:_LONGEST_NAME]
            .decode(errors="ignore")
        )
        if name.casefold() in self._names:
            name += "-" + hashlib.sha256(os.fsencode(Path(path).absolute())).hexdigest()[:8]
        self._names.add(name.casefold())
        return f"{name}.{_SUFFIXES[self.format]}"
