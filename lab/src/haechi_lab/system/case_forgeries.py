"""Forgeries of a case by somebody who may write its folder and knows the format, but not the passphrase.

Each makes every number, hash, chain and seal anew that can be made without the key, so that only what a key
or a noted head holds can give it away. ``FORGERIES`` names them; each changes a copy of the case in place.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haechi.case.log_format import (
    CASE,
    FOLDERS,
    HEAD,
    LOG,
    SCHEMA,
    Seal,
    canonical,
    parsed,
    parsed_seal,
    sha256,
)

NEVER_FOUND = "an older state of the whole folder, put back"
"""The one that only a noted head gives away: everything in it was made with the key."""
_TIME = "2026-0{}-1{}T0{}:{}:00Z"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a forger may have at hand: the folder of the case, copies of an older state of it and of what
    became of that state elsewhere (made with the key), and another case with the same passphrase."""

    folder: Path
    older: Path
    fork: Path
    other: Path


class Forger:
    """The folder in its parts, to be changed and written anew."""

    def __init__(self, scene: Scene, rng: random.Random) -> None:
        self.scene, self.rng, self.folder = scene, rng, scene.folder
        self.about, self.records = _read(scene.folder)

    @property
    def encrypted(self) -> bool:
        return self.about["crypto"] is not None

    def some(self) -> dict[str, Any]:
        """A record that stores a file."""
        return self.rng.choice([r for r in self.records if r.get("files")])

    def time(self) -> str:
        digit = self.rng.randrange
        return _TIME.format(digit(1, 10), digit(10), digit(10), digit(10, 60))

    def write(self) -> None:
        """Write case.json, the log and the seal, with all that does not need the key made anew; of the MAC
        the newest, an older one, an invented one or none."""
        text = canonical(self.about)
        expected, lines = sha256(text), []
        for number, record in enumerate(self.records):
            lines.append(canonical({**record, "n": number, "prev": expected}))
            expected = sha256(lines[-1])
        old, new = (parsed_seal((f / HEAD).read_bytes()).mac for f in (self.scene.older, self.folder))
        macs = (new, new, old, self.rng.randbytes(32).hex(), "")
        mac = self.rng.choice(macs) if self.encrypted else ""
        (self.folder / CASE).write_bytes(text)
        (self.folder / LOG).write_bytes(b"".join(lines))
        seal = Seal(len(lines), sum(map(len, lines)), expected, mac)
        (self.folder / HEAD).write_bytes(seal.text())
        self.sweep()

    def sweep(self) -> None:
        """Leave exactly the files that the records name; those of the scene's other folders are at hand."""
        names = {f["path"] for r in self.records for f in r.get("files", ())}
        names -= {path for r in self.records for path in r.get("removed", ())}
        for name in FOLDERS:
            for path in (self.folder / name).iterdir():
                if f"{name}/{path.name}" not in names:
                    path.unlink()
        for path in names:
            for place in (self.scene.older, self.scene.fork, self.scene.other):
                if not (self.folder / path).exists() and (place / path).exists():
                    shutil.copyfile(place / path, self.folder / path)

    def store(self, data: bytes, suffix: str) -> dict[str, Any]:
        """A file of the forger's; its facts."""
        path = f"originals/{sha256(data)}.{suffix}"
        (self.folder / path).write_bytes(data)
        return {"path": path, "sha256": sha256(data), "size": len(data)}


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    lines = (folder / LOG).read_bytes().splitlines(keepends=True)
    about = parsed((folder / CASE).read_bytes())
    return about or {}, [r for r in map(parsed, lines) if r is not None]


def _byte(forger: Forger) -> None:
    files = sorted(p for p in forger.folder.rglob("*") if p.is_file() and p.stat().st_size)
    path = forger.rng.choice(files)
    data = bytearray(path.read_bytes())
    data[forger.rng.randrange(len(data))] ^= forger.rng.randrange(1, 256)
    path.write_bytes(data)


def _time(forger: Forger) -> None:
    forger.rng.choice(forger.records)["time"] = forger.time()
    forger.write()


def _created(forger: Forger) -> None:
    forger.about["created"] = forger.time()
    forger.write()


def _told(forger: Forger) -> None:
    """What was written down: of an encrypted case the sealed half of another record."""
    record = forger.some()
    if forger.encrypted:
        record["sealed"] = forger.rng.choice([r for r in forger.records if r is not record])["sealed"]
    else:
        record["entry"] = record["entry"] | {"note": "invented", "address": "https://elsewhere.example/"}
    forger.write()


def _cut(forger: Forger) -> None:
    del forger.records[-forger.rng.randrange(1, len(forger.records)) :]
    forger.write()


def _dropped(forger: Forger) -> None:
    del forger.records[forger.rng.randrange(1, len(forger.records) - 1)]
    forger.write()


def _swapped(forger: Forger) -> None:
    one, two = forger.rng.sample(range(1, len(forger.records)), 2)
    forger.records[one], forger.records[two] = forger.records[two], forger.records[one]
    forger.write()


def _doubled(forger: Forger) -> None:
    record = forger.rng.choice(forger.records[1:])
    forger.records.insert(forger.rng.randrange(1, len(forger.records) + 1), dict(record))
    forger.write()


def _original_dropped(forger: Forger) -> None:
    record = forger.some()
    record["files"] = []
    if not forger.encrypted:
        record["entry"] = record["entry"] | {"file": "", "report": ""}
    forger.write()


def _original_replaced(forger: Forger) -> None:
    record = forger.some()
    original = forger.folder / record["files"][0]["path"]
    data = original.read_bytes()[:40] + forger.rng.randbytes(3000)
    facts = forger.store(data, original.suffix[1:])
    record["files"] = [facts]
    if not forger.encrypted:
        record["entry"] = record["entry"] | {
            "file": facts["path"],
            "sha256": facts["sha256"],
            "size": facts["size"],
            "report": "",
        }
    forger.write()


def _originals_swapped(forger: Forger) -> None:
    one, two = forger.rng.sample([r for r in forger.records if r.get("files")], 2)
    one["files"], two["files"] = two["files"], one["files"]
    if not forger.encrypted:
        names = ("file", "sha256", "size")
        first, second = ({n: r["entry"][n] for n in names} for r in (one, two))
        one["entry"], two["entry"] = one["entry"] | second, two["entry"] | first
    forger.write()


def _from_another_case(forger: Forger) -> None:
    foreign = _read(forger.scene.other)[1]
    at = forger.rng.randrange(1, len(forger.records))
    forger.records[at] = dict(forger.rng.choice(foreign[1:]))
    forger.write()


def _invented(forger: Forger) -> None:
    """A record of the forger's own: in the open, or under a sealed half that was there."""
    record = dict(forger.some())
    facts = forger.store(forger.rng.randbytes(500), "sealed" if forger.encrypted else "bin")
    record |= {"files": [facts], "time": forger.time()}
    if forger.encrypted and forger.rng.random() < 0.5:
        del record["sealed"], record["v"]
        record["entry"] = {"name": "invented", "file": facts["path"]}
    elif not forger.encrypted:
        entry_facts = {"file": facts["path"], "sha256": facts["sha256"], "size": facts["size"], "report": ""}
        record["entry"] = record["entry"] | entry_facts
    forger.records.insert(forger.rng.randrange(1, len(forger.records) + 1), record)
    forger.write()


def _hidden(forger: Forger) -> None:
    """An original taken away as if it had shown somebody under 18."""
    path = forger.some()["files"][0]["path"]
    forger.records[-1]["removed"] = [path]
    forger.write()


def _older_log(forger: Forger) -> None:
    """The log and files of the older state under the newest seal, or its seal over the newest log."""
    if forger.rng.random() < 0.5:
        forger.records = _read(forger.scene.older)[1]
        seal = (forger.folder / HEAD).read_bytes()
        forger.write()
        (forger.folder / HEAD).write_bytes(seal)
    else:
        shutil.copyfile(forger.scene.older / HEAD, forger.folder / HEAD)


def _older_log_sealed(forger: Forger) -> None:
    """The older state with a seal that the forger made, one record short of it or more."""
    forger.records = _read(forger.scene.older)[1]
    if forger.rng.random() < 0.5:
        del forger.records[-1]
    forger.write()


def _fork(forger: Forger) -> None:
    """Records of two ways that the older state went, put together."""
    foreign = _read(forger.scene.fork)[1]
    common = len(_read(forger.scene.older)[1])
    tail = foreign[common:]
    if forger.rng.random() < 0.5:
        forger.records += tail
    else:
        forger.records[forger.rng.randrange(common, len(forger.records))] = tail[0]
    forger.write()


def _other_case_file(forger: Forger) -> None:
    forger.about = _read(forger.scene.other)[0]
    if forger.rng.random() < 0.5:
        forger.about |= {"id": _read(forger.folder)[0]["id"]}
    forger.write()


def _older_version(forger: Forger) -> None:
    """As if a version of Haechi had made it that bound less."""
    forger.about["schema"] = SCHEMA
    for record in forger.records if forger.rng.random() < 0.5 else ():
        record.pop("v", None)
    if forger.rng.random() < 0.5:
        forger.records[-1]["time"] = forger.time()
    forger.write()


def _taken_off(forger: Forger) -> None:
    """A case without a passphrase in the place of one with."""
    forger.about |= {"schema": SCHEMA, "crypto": None}
    for record in forger.records:
        record.pop("v")
        record.pop("sealed")
        record["entry"] = {"title": "invented"} if record["do"] == "open" else {"name": "invented"}
        record["files"] = []
    forger.write()


def _put_back(forger: Forger) -> None:
    shutil.rmtree(forger.folder)
    shutil.copytree(forger.scene.older, forger.folder)


FORGERIES: dict[str, Callable[[Forger], None]] = {
    "a byte anywhere": _byte,
    "the time of a record": _time,
    "the time the case was made": _created,
    "what was written down": _told,
    "the end cut off, with its files": _cut,
    "a record dropped": _dropped,
    "two records swapped": _swapped,
    "a record twice": _doubled,
    "an original dropped": _original_dropped,
    "an original replaced": _original_replaced,
    "two originals swapped": _originals_swapped,
    "a record of another case": _from_another_case,
    "a record invented": _invented,
    "an original hidden as a minor's": _hidden,
    "an older log under another seal": _older_log,
    "an older log, sealed anew": _older_log_sealed,
    "two forks put together": _fork,
    "another case.json": _other_case_file,
    "back to the older format": _older_version,
    "the encryption taken off": _taken_off,
    NEVER_FOUND: _put_back,
}
ONLY_ENCRYPTED = frozenset({"back to the older format", "the encryption taken off"})
