"""What the command line needs of a terminal: names that cannot forge lines, a bar that does not disturb."""

from __future__ import annotations

import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from types import TracebackType
from typing import TYPE_CHECKING, Self

from haechi.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_PATIENCE_S = 1.0
# Control, bidirectional and other invisible characters, lone surrogates, line and paragraph separators.
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def printable(text: str) -> str:
    """The text with every character that could move the cursor, break the line or turn the direction of
    writing shown as its escape, so that a file name can only ever look like itself."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNSAFE else c for c in text
    )


def base_name(path: str) -> str:
    """The last part of a path as it may be printed."""
    return printable(os.path.basename(os.path.normpath(path)) or path)  # noqa: PTH119  (bytes of any kind)


def say(line: str) -> None:
    """One line of diagnostics on stderr. When nobody can hear it, the work goes on."""
    with suppress(OSError):
        print(printable(line), file=sys.stderr, flush=True)


def put(text: str, end: str = "\n", *, utf8: bool = False) -> None:
    """Text on stdout, at once; with ``utf8`` in UTF-8 whatever the terminal's encoding is.

    Raises BrokenPipeError when the reader has left, and UsageError when the text cannot be written, as on a
    full disk. After either stdout leads nowhere, so that the end of the program does not complain again."""
    raw = getattr(sys.stdout, "buffer", None) if utf8 else None
    try:
        if raw is None:
            print(text, end=end, flush=True)
        else:
            sys.stdout.flush()
            raw.write((text + end).encode(errors="backslashreplace"))
            raw.flush()
    except BrokenPipeError:
        mute()
        raise
    except OSError as error:
        mute()
        raise UsageError(f"The output cannot be written: {error.strerror or type(error).__name__}") from None


def encoding() -> str:
    """That of stdout."""
    return getattr(sys.stdout, "encoding", None) or "utf-8"


def drawn(draw: Callable[[Console], None]) -> str:
    """What ``draw`` prints to a console of rich, as it would look on stdout: in its width, and with colours
    when that is a terminal."""
    from rich.console import Console

    paper = _Paper()
    console = Console(file=paper)
    if console.legacy_windows:  # there colours are calls of the system, which no text can hold
        console = Console(file=paper, color_system=None)
    draw(console)
    return paper.getvalue()


class _Paper(StringIO):
    """Text in memory that rich takes for stdout."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return encoding()

    def isatty(self) -> bool:
        return sys.stdout is not None and sys.stdout.isatty()


def mute() -> None:
    """Let all that is still to come on stdout, what is in its buffer included, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class Bar:
    """A progress bar on stderr: only on a terminal, only after one second, never with ``quiet``.

    >>> with Bar(total=2, quiet=False) as bar:
    ...     bar.tell("a.jpg", 0.5)
    """

    def __init__(self, total: int | None, *, quiet: bool) -> None:
        """``total``: None where it is not known yet."""
        self._total = total
        self._is_shown = not quiet and sys.stderr.isatty()
        self._lock = threading.Lock()
        self._text, self._amount = "", 0.0
        self._live: Progress | None = None
        self._timer = threading.Timer(_PATIENCE_S, self._start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if self._is_shown:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_shown = False
            if self._live is not None:
                self._live.stop()

    def tell(self, text: str, amount: float, total: int | None = None) -> None:
        """Say what is being done, and how much is: in units of ``total``, which may become known here."""
        with self._lock:
            self._text, self._amount, self._total = text, amount, total or self._total
            if self._live is not None:
                task = self._live.task_ids[0]
                self._live.update(task, description=text, completed=amount, total=self._total)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Out of the way while something is printed on the same terminal."""
        with self._lock:
            live = self._live
            if live is not None:
                live.stop()
            try:
                yield
            finally:
                if live is not None:
                    live.start()

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
        with self._lock:
            if not self._is_shown:
                return
            console = Console(stderr=True)
            # stdout carries the reports and must not be led through the bar's console.
            self._live = Progress(
                *columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False
            )
            self._live.update(self._live.add_task(self._text, total=self._total), completed=self._amount)
            self._live.start()
