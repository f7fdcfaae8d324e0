"""``python -m haechi_lab.system.interruptions FOLDER WAYS [PASSPHRASE]``: end the addition of an entry by
force at every one of its steps, and see what ``verify`` and the next addition make of it. Prints counts
as JSON.

A step is a call that opens, writes through, renames or deletes a file. A child process ends before it, after
it, or, where a file is written through, with half of what was written. POSIX only: it forks."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from haechi.case import Case
from haechi.case.encryption import open_key
from haechi.case.fingerprints import LocalFingerprints
from haechi.case.log import Log
from haechi.errors import HaechiError
from haechi.settings import Settings

WAYS = ("before", "after", "torn")
STEPS = ("open", "fsync", "replace", "unlink")
_KILLED = 9


def main(folder: Path, ways: Sequence[str], passphrase: str | None) -> dict[str, int]:
    """Counts over a case that lies in ``folder``, which itself stays as it is."""
    counts: Counter[str] = Counter()
    work = folder.with_name(f"{folder.name}-interrupted")
    key = None if passphrase is None else open_key(passphrase, Log(folder).about()["crypto"])
    for how in ways:
        at, ended = 1, True
        while ended:
            shutil.copytree(folder, work)
            ended = _ended(Case(work, key, LocalFingerprints(Settings())), at, how)
            if ended:
                _judge(Case(work, key, LocalFingerprints(Settings())), counts)
            shutil.rmtree(work)
            at += 1
    return dict(counts)


def _judge(case: Case, counts: Counter[str]) -> None:
    counts["ended"] += 1
    findings = case.verify()
    counts["whole" if findings.intact else "interrupted" if findings.interrupted else "called changed"] += 1
    before = len(case.entries()) if findings.intact else 0
    try:
        case.add(b"the next entry")
    except HaechiError:
        return
    repaired = case.verify().intact and len(case.entries()) > before
    counts["repaired"] += repaired and all(b"".join(case.original(e)) for e in case.entries())


def _ended(case: Case, at: int, how: str) -> bool:
    """Whether a child was ended at its so-many-th step; False when it had fewer."""
    child = os.fork()
    if child == 0:
        try:
            _arm(at, how)
            case.add(b"evidence " * 1000, name="a.txt", note="n")
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, _KILLED):
        raise RuntimeError(f"the child ended with {code}")
    return code == _KILLED


def _arm(at: int, how: str) -> None:
    count = 0

    def stepping(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count != at:
                return real(*args, **options)
            if how == "after":
                real(*args, **options)
            elif how == "torn" and name == "fsync":
                _tear(args[0])
            os._exit(_KILLED)

        return step

    for name in STEPS:
        setattr(os, name, stepping(name, getattr(os, name)))


def _tear(handle: int) -> None:
    """Cut off half of the last line, or of the file when it has but one."""
    size = os.fstat(handle).st_size
    if not os.path.isfile(f"/proc/self/fd/{handle}"):  # noqa: PTH113 - a folder, or no Linux
        return
    data = Path(f"/proc/self/fd/{handle}").read_bytes()
    start = data.rfind(b"\n", 0, -1) + 1
    os.ftruncate(handle, start + (size - start) // 2)


if __name__ == "__main__":
    passphrase = sys.argv[3] if len(sys.argv) > 3 else None
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2].split(","), passphrase)))
