"""Every error that Haechi raises on purpose, each with the exit code of the command line.

    HaechiError                 exit 1   a fault of ours
    ├── Fault                            a check that broke down
    ├── UsageError              exit 2   the request itself makes no sense
    ├── InputError              exit 3   the input cannot be read
    │   ├── NotAFile                     a directory, a pipe, a device, nothing there, no permission
    │   ├── UnknownFormat                its content is no picture or video that we read
    │   ├── DamagedFile                  truncated, encrypted, empty, or lying about itself
    │   ├── OverLimit                    more bytes, pixels, frames or seconds than the settings allow
    │   └── Crashed                      checking it stopped the process that checked
    ├── ModelError              exit 4   a model is missing, or differs from its card
    └── CaseError               exit 6   a case folder is damaged, busy, or no case
        └── Locked                       its passphrase is missing or wrong

Each message says what is wrong, why, and what to do, in one line.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line (DESIGN: command line contract)."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    UNREADABLE = 3
    MODEL = 4
    PARTIAL = 5
    CASE = 6
    LEVEL_REACHED = 10


class HaechiError(Exception):
    """Root of the tree. ``code`` is the stable name that JSON carries."""

    code = "internal"
    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    @property
    def message(self) -> str:
        return str(self.args[0])


class Fault(HaechiError):
    """A check broke down. ``kind``: the name of the error, whose text is left out, since it may name the
    user's file. ``steps``: where, as tracebacks print it."""

    def __init__(self, kind: str, steps: str = "") -> None:
        super().__init__(
            f"Internal error ({kind}), so there is no verdict. Please report it with the output of `haechi "
            "doctor`; HAECHI_DEBUG=1 shows where it happened."
        )
        self.kind, self.steps = kind, steps


class UsageError(HaechiError):
    """The request itself makes no sense: a setting, a name or a source of the wrong kind."""

    code = "usage"
    exit_code = ExitCode.USAGE


class InputError(HaechiError):
    """The input cannot be read, so there is no report. Its kinds say why."""

    code = "unreadable"
    exit_code = ExitCode.UNREADABLE


class NotAFile(InputError):
    """A folder, a pipe, a device, nothing there, or no permission."""

    code = "not_a_file"


class UnknownFormat(InputError):
    """Its content is no picture or video that is read here."""

    code = "unknown_format"


class DamagedFile(InputError):
    """Truncated, encrypted, empty, or lying about itself."""

    code = "damaged_file"


class OverLimit(InputError):
    """More bytes, pixels, frames, memory or seconds than the settings allow."""

    code = "over_limit"


class Crashed(InputError):
    """Checking it ended the process that checked."""

    code = "crashed"


class ModelError(HaechiError):
    """A model is missing, or differs from its card: nothing is judged until it is repaired."""

    code = "model"
    exit_code = ExitCode.MODEL


class CaseError(HaechiError):
    """A case folder is damaged, busy, or no case."""

    code = "case"
    exit_code = ExitCode.CASE


class Locked(CaseError):
    """The passphrase of a case is missing or wrong."""

    code = "locked"


class ServerError(HaechiError):
    """A server of Haechi does not answer, refuses, or answers something else."""

    code = "server"
