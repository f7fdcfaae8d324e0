"""The checks of a session: one file each, which says pass, fail, abstain or risk, and why.

A check reads the recordings of the challenges that it knows, and nothing else. One that raises is ``crash``,
which nobody passes by."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from haechi.types import U8, Reason
from haechi.verify.checks import compliance, depth, flash, forgery, injection, pulse, reuse
from haechi.verify.seen import Seen
from haechi.verify.types import CheckResult

_log = logging.getLogger("haechi")


class Check(Protocol):
    """Pure: the same recordings give the same result."""

    def __call__(self, takes: Sequence[Seen]) -> CheckResult: ...


CHECKS: tuple[tuple[str, Check], ...] = (
    ("flash", flash.examine),
    ("compliance", compliance.examine),
    ("depth", depth.examine),
    ("injection", injection.examine),
    ("forgery", forgery.examine),
    ("reuse", reuse.examine),
    ("pulse", pulse.examine),
)
"""By name, in the order in which they are told."""


def among(others: Sequence[U8]) -> tuple[tuple[str, Check], ...]:
    """CHECKS, where ``others`` are known: the hashes u8 (n, 32) of each other subject."""
    reuse_among = partial(reuse.examine, others=others)
    return tuple((name, reuse_among if name == reuse.NAME else check) for name, check in CHECKS)


def examine(takes: Sequence[Seen], checks: Sequence[tuple[str, Check]] = CHECKS) -> tuple[CheckResult, ...]:
    """What every check says of a whole session."""
    return tuple(_asked(name, check, takes) for name, check in checks)


def _asked(name: str, check: Check, takes: Sequence[Seen]) -> CheckResult:
    try:
        return check(takes)
    except Exception as error:
        steps = "".join(traceback.format_tb(error.__traceback__))
        _log.debug("%s failed: %s\n%s", name, type(error).__name__, steps)
        return CheckResult(name, "crash", Reason("verify_check_crashed", {"error": type(error).__name__}))
