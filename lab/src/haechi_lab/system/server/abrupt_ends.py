"""kill -9 and SIGTERM at random points of all that the server does: uploads, checks, pages of cases, bundles
on their way out, searches for copies, and its own start.

Each time the next start is looked at from outside: does it come up without a fault, is any picture in clear
outside of a plain case and of the uploads that still wait, and are the files that somebody else put into its
folders, some under names like its own, what they were.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haechi.case import Case
from haechi.errors import HaechiError
from haechi_lab.system.server.clients import PASSPHRASE, BrowserClient, ClientPool
from haechi_lab.system.server.fork_pool import ForkedServer, ForkPool
from haechi_lab.system.server.photographs import photographs
from haechi_lab.system.server.process import scratch
from haechi_lab.system.server.result import row

_MARK_BYTES = 48
_LARGE_BYTES = 4_000_000
_START_S, _WINDOW_S = 2.0, 5.0
_FAULTS = re.compile(r"internal error|Traceback|cannot be deleted|damaged|is gone")
_PATIENCE_S = 300.0


@dataclass
class _Tally:
    """What was seen; everything but the counts of what was done should stay 0."""

    kills: int = 0
    terms: int = 0
    slow_ends: int = 0
    bad_starts: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    in_clear: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    changed_cases: list[str] = field(default_factory=list)
    under_way: Counter[str] = field(default_factory=Counter)


def abrupt(
    points: int = 200, lanes: int = 2, most_s: float = 7200.0, seed: int = 0
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows and facts. ``lanes``: servers side by side, each with a folder of its own."""
    end = time.monotonic() + most_s
    with scratch() as folder:
        photos = [p.read_bytes() for p in photographs(Path(folder) / "photos", 6, 0.1, 640)]
        numbers = [points // lanes + (lane < points % lanes) for lane in range(lanes)]
        running = [
            _Lane(Path(folder) / f"lane{k}", photos, random.Random(f"{seed} {k}"), number, end)
            for k, number in enumerate(numbers)
        ]
        for lane in running:
            lane.start()
        for lane in running:
            lane.join()
    runs = [lane.tally for lane in running]
    ends = sum(one.kills + one.terms for one in runs)
    rows = [
        row("random points at which it was ended", ends, "", points, least=True),
        row("of these by kill -9", sum(one.kills for one in runs), ""),
        row("next starts that failed or told of a fault", sum(len(one.bad_starts) for one in runs), "", 0),
        row("files of others that were changed or gone", sum(len(one.touched) for one in runs), "", 0),
        row("pictures in clear outside plain cases", sum(len(one.in_clear) for one in runs), "", 0),
        row("files of its own that no job needed", sum(len(one.leftovers) for one in runs), "", 0),
        row("cases that looked changed, not interrupted", sum(len(one.changed_cases) for one in runs), "", 0),
        row(
            "ends by SIGTERM that took longer than 15 s or failed", sum(one.slow_ends for one in runs), "", 0
        ),
    ]
    under_way = sum((one.under_way for one in runs), Counter[str]())
    facts = {"seed": seed, "lanes": lanes, "under_way_at_the_end": dict(sorted(under_way.items()))}
    faults = sorted(
        {text for one in runs for text in (*one.bad_starts, *one.in_clear, *one.leftovers, *one.touched)}
    )
    return rows, {**facts, "seen": [*faults, *(c for one in runs for c in one.changed_cases)]}


class _Lane(threading.Thread):
    """One folder, and one server after another in it."""

    def __init__(
        self, folder: Path, photos: list[bytes], rng: random.Random, points: int, end: float
    ) -> None:
        super().__init__(daemon=True)
        self._folder, self._photos, self._rng, self._points, self._end = folder, photos, rng, points, end
        self._large = rng.randbytes(_LARGE_BYTES)
        self._marks = [photo[len(photo) // 2 :][:_MARK_BYTES] for photo in [*photos, self._large]]
        self._foreign: dict[str, tuple[int, bytes]] = {}
        self._cases: list[str] = []
        self._pool = ForkPool(folder)
        self.tally = _Tally()

    def run(self) -> None:
        try:
            self._prepare()
            for _ in range(self._points):
                if time.monotonic() > self._end:
                    break
                self._point()
            self._finish()
        except Exception as error:  # the points so far count, and this one is no clean start
            self.tally.bad_starts.append(f"{type(error).__name__}: {error}")

    def _prepare(self) -> None:
        """Two cases, each with a large file, and files of somebody else everywhere."""
        server = self._serve()
        client = BrowserClient(server.port)
        self._cases = [client.new_case(encrypted=encrypted) for encrypted in (False, True)]
        for case in self._cases:
            client.send(f"{case}/add", self._large, note="large")
        server.end(signal.SIGTERM)
        data, outside = self._folder / "data", self._folder / "outside"
        outside.mkdir()
        for file in (
            *(outside / "found", outside / "mine.jpg", data / "holiday.jpg", data / "bundle.zip"),
            *(data / "uploads" / name for name in ("holiday.jpg", "a" * 24, "0" * 32, "notes.original")),
        ):
            file.write_bytes(b"somebody else's " + file.name.encode())
        album = data / "uploads" / f"{'0' * 32}.search"
        album.mkdir()
        (album / "theirs.jpg").write_bytes(b"in a folder with a name of ours")
        (data / "uploads" / f"{'1' * 32}.part").symlink_to(outside / "mine.jpg")
        (data / "uploads" / f"{'1' * 32}.search").symlink_to(outside)
        self._foreign = self._others()

    def _point(self) -> None:
        """Start, look at what the last end left, do things, end at a random moment."""
        rng, how = self._rng, self._rng.choice((signal.SIGKILL, signal.SIGTERM))
        phase = rng.choices(("start", "listening", "ready"), (1, 7, 2))[0]
        if phase == "start":
            server = self._pool.start()
            time.sleep(rng.uniform(0, _START_S))
            self._ended(server, how, ["start"])
            return
        server = self._serve()
        self._look(server)
        if phase == "ready":
            server.ready()
        client = BrowserClient(server.port)
        client.unlock(self._cases[1])
        pool = ClientPool(client, self._cases, self._photos, rng)
        time.sleep(rng.uniform(0, _WINDOW_S))
        self._ended(server, how, pool.under_way() or ["nothing"])
        pool.leave()
        if pool.answers[500]:
            self.tally.bad_starts.append(f"{pool.answers[500]} answers 500")

    def _ended(self, server: ForkedServer, how: signal.Signals, under_way: list[str]) -> None:
        self.tally.under_way.update(under_way)
        self.tally.kills += how == signal.SIGKILL
        self.tally.terms += how == signal.SIGTERM
        begin = time.monotonic()
        code = server.end(how)
        if how == signal.SIGTERM and "start" not in under_way:
            self.tally.slow_ends += code != 0 or time.monotonic() - begin > 15
            self._leftovers(None)

    def _serve(self) -> ForkedServer:
        server = self._pool.start(HAECHI_QUEUE="100000", HAECHI_UPLOADS_PER_ADDRESS="64")
        try:
            server.listening()
        except HaechiError as error:
            self.tally.bad_starts.append(error.message)
            raise
        return server

    def _look(self, server: ForkedServer, passphrase: str | None = None) -> None:
        """At a server that has just started and that nobody has asked yet."""
        self._leftovers(server)
        if faults := _FAULTS.findall(server.log):
            self.tally.bad_starts += faults
        now = self._others()
        self.tally.touched |= {name for name in self._foreign if now.get(name) != self._foreign[name]}
        plain = self._folder / "data" / self._cases[0][1:]
        for file in self._folder.rglob("*"):
            inside = plain in file.parents or file.name.endswith(".original")
            data = b"" if inside else _bytes_of(file)
            if any(mark in data for mark in self._marks):
                self.tally.in_clear.append(str(file.relative_to(self._folder)))
        for case, secret in zip(self._cases, (None, passphrase), strict=True):
            findings = Case.open(self._folder / "data" / case[1:], secret).verify()
            if not (findings.intact or findings.interrupted):
                self.tally.changed_cases.append(", ".join(finding.code for finding in findings.findings))

    def _leftovers(self, server: ForkedServer | None) -> None:
        """Files of the uploads that are the server's own and that no job needs. What ends between the two
        looks is no fault, so there are a few."""
        for _ in range(4):
            waiting = None if server is None else _open_jobs(server)
            ours = [p.name for p in (self._folder / "data" / "uploads").iterdir() if not self._is_foreign(p)]
            originals = [name for name in ours if name.endswith(".original")]
            parts = [name for name in ours if name not in originals]
            if not parts and (waiting is None or len(originals) <= waiting):
                return
            time.sleep(0.5)
        self.tally.leftovers += [re.sub(r"^.*\.", "*.", name) for name in parts or originals]

    def _finish(self) -> None:
        """All that waited is done in the end, and then nothing of it is left."""
        server = self._serve()
        server.ready()
        end = time.monotonic() + _PATIENCE_S
        while _open_jobs(server) and time.monotonic() < end:
            time.sleep(0.2)
        self._look(server, PASSPHRASE)
        server.end(signal.SIGTERM)
        self._pool.close()
        self._look_at_the_end()

    def _look_at_the_end(self) -> None:
        uploads = self._folder / "data" / "uploads"
        self.tally.leftovers += [
            f"at the end {p.suffix}" for p in uploads.iterdir() if not self._is_foreign(p)
        ]
        shutil.rmtree(self._folder)

    def _others(self) -> dict[str, tuple[int, bytes]]:
        """Mode and bytes of what is not the server's."""
        files = {}
        for file in self._folder.rglob("*"):
            if self._is_foreign(file):
                about = file.lstat()
                data = b"" if file.is_symlink() or file.is_dir() else file.read_bytes()
                files[str(file.relative_to(self._folder))] = (about.st_mode, data)
        return files

    def _is_foreign(self, file: Path) -> bool:
        names = ("holiday.jpg", "a" * 24, "0" * 32, "notes.original", "bundle.zip", "theirs.jpg", "outside")
        return file.name in names or "outside" in file.parts or file.name.startswith(("0" * 32, "1" * 32))


def _bytes_of(file: Path) -> bytes:
    """Of a regular file; none of another kind, nor of one that has gone meanwhile."""
    try:
        return file.read_bytes() if file.is_file() and not file.is_symlink() else b""
    except FileNotFoundError:
        return b""


def _open_jobs(server: ForkedServer) -> int:
    """Jobs that wait or run, as /metrics tells."""
    with server.client() as client:
        lines = client.metrics().splitlines()
    gauges = ('haechi_jobs{status="waiting"}', 'haechi_jobs{status="running"}')
    return sum(int(line.split()[1]) for line in lines if line.startswith(gauges))
