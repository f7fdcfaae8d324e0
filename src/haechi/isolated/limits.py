"""What a child process may take of the machine, and that it does not outlive its parent. Called in the child,
before it reads anything that is not ours.

Linux holds a process to all of it. macOS and Windows have no limit of memory that would work; there the limit
of time holds, and the end of the pipe from the parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_OOM_SCORE = "500"
# Measured: 160 MB with the networks loaded, and up to 100 MB more for the faces of a large picture.
_BESIDES_BYTES = 280 * 1024**2
# Each processor has a thread in the networks, OpenCV and FFmpeg, each of which reserves 8 MB.
_STACKS_BYTES = 24 * 1024**2


def limit_memory(decoding_bytes: int) -> None:
    """Let allocations fail beyond what the networks and a check take besides ``decoding_bytes``. Of private
    memory, and not of addresses: threads reserve far more of these than they use."""
    if sys.platform != "linux":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = decoding_bytes + _BESIDES_BYTES + _STACKS_BYTES * (os.cpu_count() or 1)
    limit = limit if most == resource.RLIM_INFINITY else min(limit, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    # A core dump would leave the pictures of people on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # no /proc here: the kernel chooses by itself whom it ends when memory runs out
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


def end_with(parent: int) -> None:
    """End this process with the thread that started it, in whatever code it is then."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # which ended before we asked for that
        os._exit(0)


def yield_to_others(steps: int) -> None:
    """Leave the processor to more urgent processes by so many steps of ``nice``."""
    if steps and hasattr(os, "nice"):
        os.nice(steps)
