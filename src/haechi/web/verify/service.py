"""The sessions of a server: from the first frame of each to its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from haechi.errors import InputError, UsageError
from haechi.isolated import VerificationProcess
from haechi.server_options import Options
from haechi.settings import Settings
from haechi.types import Reason
from haechi.verify import checks
from haechi.verify.book import Entry, Look, VerificationBook, broken_off
from haechi.verify.checks import reuse
from haechi.verify.decide import decide
from haechi.verify.device import Party
from haechi.verify.recording import Recording
from haechi.verify.seen import Seen
from haechi.verify.session import Refused
from haechi.verify.types import VerificationResult
from haechi.verify.uploads import parsed
from haechi.web.crash_log import log_crash
from haechi.web.verify.lookers import Lookers, MakeLooker

MOST_PIXELS = 1920 * 1200
PROCESSES = 2


class VerificationService:
    """``make``: what looks at frames, if not a process of its own. Safe to call from any thread. Raises
    UsageError when the options for devices are not whole."""

    def __init__(
        self, options: Options, settings: Settings, scratch: Path, make: MakeLooker | None = None
    ) -> None:
        self.book = VerificationBook(options.verifications)
        self.most_keep_s = options.verify_keep_s
        party = (options.webauthn_id, options.webauthn_origin)
        self.party = Party(*party) if any(party) else None
        limited = replace(settings, max_pixels=min(settings.max_pixels, MOST_PIXELS))

        def process(own: Settings) -> VerificationProcess:
            return VerificationProcess(own, scratch=scratch)

        self._lookers = Lookers(PROCESSES, limited, make or process)
        self.stop = self._lookers.stop

    def receive(self, entry: Entry, body: bytes) -> None:
        """Take the frames of a request in. Raises Refused, after which the session has ended."""
        with entry.lock:
            try:
                take = entry.session.receive(parsed(body))
            except UsageError:
                raise self._ended(entry, entry.session.fail("verify_unreadable")) from None
            except Refused as refused:
                raise self._ended(entry, refused) from None
            if take is None:
                return
            entry.looks.append(Look(take.challenge, take.began_s, self._lookers.look(take)))
            if entry.session.complete:
                _when_all([look.recording for look in entry.looks], lambda: self._judge_when_due(entry))

    def bind(self, entry: Entry, response: Mapping[str, Any]) -> None:
        """Take in what the device of a session sent. Raises UsageError when none is due."""
        with entry.lock:
            if entry.device is None or entry.result is not None:
                raise UsageError("No device is due in this session: open one with `device`.")
            entry.device.take(response)
        self._judge_when_due(entry)

    def _ended(self, entry: Entry, refused: Refused) -> Refused:
        if entry.session.end is not None:
            self.book.finish(entry, broken_off(entry.session.end))
        return refused

    def _judge_when_due(self, entry: Entry) -> None:
        """Whichever comes last, the frames or the device."""
        looked_at = entry.session.complete and all(look.recording.done() for look in entry.looks)
        if looked_at and (entry.device is None or entry.device.answer is not None):
            self._judge(entry)

    def _judge(self, entry: Entry) -> None:
        """Note the result of a session whose frames have all been looked at."""
        try:
            takes = [Seen(look.challenge, look.recording.result(), look.began_s) for look in entry.looks]
            others = self.book.known(entry, reuse.prints(takes))
            results = checks.examine(takes, checks.among(others))
            if entry.device is not None and entry.device.answer is not None:
                results = (*results, entry.device.answer)
            result = decide(results, flash=entry.flash, device=entry.device is not None)
        except InputError:
            result = broken_off(Reason("verify_unreadable"))
        except Exception as error:
            log_crash("verify", error)
            result = VerificationResult("refer", (Reason("verify_fault"),))
        self.book.finish(entry, result)


def _when_all(futures: Sequence[Future[Recording]], then: Callable[[], None]) -> None:
    """Call once when all of them are done, in the thread of the last."""
    left, lock = [len(futures)], threading.Lock()

    def one(_: Future[Recording]) -> None:
        with lock:
            left[0] -= 1
            last = left[0] == 0
        if last:
            then()

    for future in futures:
        future.add_done_callback(one)
