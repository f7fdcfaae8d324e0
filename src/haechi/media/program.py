"""A decoder of somebody else's, run as a child: no shell, no standard input, no network, and limits on its
time and memory."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from haechi.errors import DamagedFile
from haechi.media.clock import Clock

try:
    import resource as _resource
except ImportError:  # Windows
    _resource = None  # type: ignore[assignment]
resource: ModuleType | None = _resource

_MOST_MEMORY = 900 * 1024**2
_MOST_FILES = 64
_STDERR_LINES = 40
# What a program needs to be found and to run; tokens and paths of ours are none of its business.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


class Program:
    """One run. ``on_stderr`` gets every line of its standard error, in a thread of its own; ``stderr`` holds
    the last ones, never to be shown: they hold paths. Raises DamagedFile when it cannot be started."""

    def __init__(
        self,
        command: Sequence[str],
        clock: Clock,
        inherited: tuple[int, ...] = (),
        on_stderr: Callable[[str], None] | None = None,
    ) -> None:
        self._clock, self._on_stderr = clock, on_stderr
        self.stderr: list[str] = []
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            self._process = subprocess.Popen(
                [os.fsencode(word) for word in command] if os.name == "posix" else command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=inherited,
                env=environment | {"LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1"},
            )
        except OSError as error:
            raise DamagedFile(
                f"The program ffmpeg, which this video needs, cannot be started ({error.strerror}): install "
                "it again (https://ffmpeg.org), or convert the video to H.264 MP4."
            ) from error
        self._limit()
        self._listener = threading.Thread(target=self._listen, name="haechi-program", daemon=True)
        self._listener.start()

    def _limit(self) -> None:
        # From outside: code between fork and exec is not safe in a process with threads.
        if resource is None or not hasattr(resource, "prlimit"):
            return
        seconds = int(max(self._clock.left_s, 0) * 2) + 5  # of its few threads together
        limits = {
            resource.RLIMIT_CPU: seconds,
            resource.RLIMIT_DATA: _MOST_MEMORY,
            resource.RLIMIT_NOFILE: _MOST_FILES,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_FSIZE: 0,
        }
        for kind, most in limits.items():
            try:
                resource.prlimit(self._process.pid, kind, (most, most))
            except (ProcessLookupError, ValueError, PermissionError):
                # It has ended already, or whoever started us allows less than that.
                continue

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line[:2000].decode("utf-8", "replace").rstrip()
            if self._on_stderr is not None:
                self._on_stderr(text)
            self.stderr = [*self.stderr[1 - _STDERR_LINES :], text]

    def fill(self, buffer: memoryview) -> bool:
        """Fills the buffer from standard output; False when that ends before. Raises OverLimit."""
        assert self._process.stdout is not None
        with self._in_time():
            size = 0
            while size < len(buffer):
                more = self._process.stdout.readinto(buffer[size:])  # type: ignore[attr-defined]
                if not more:
                    break
                size += more
        return size == len(buffer)

    def lines(self) -> Iterator[str]:
        """The lines of standard output. Raises OverLimit."""
        assert self._process.stdout is not None
        with self._in_time():
            for line in self._process.stdout:
                yield line.decode("utf-8", "replace").strip()

    def end(self) -> int:
        """Its exit code, when standard output has ended; what it said is complete then. Raises OverLimit."""
        with self._in_time():
            code = self._process.wait()
            self._listener.join()
        return code

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Ends the program when the time for the source is used up."""
        late = threading.Timer(max(self._clock.left_s, 0.0) + 0.05, self._process.kill)
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()
        self._clock.check()

    def close(self) -> None:
        """Ends it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._listener.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
