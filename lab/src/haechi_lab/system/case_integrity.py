"""What the case file promises, measured: no changed byte and no forgery goes unseen, an interruption is not
taken for one and is repaired, and large files are stored quickly. Written to results/case.json."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2

from haechi.case import Case
from haechi.case.encryption import open_key
from haechi.case.log import Log
from haechi.case.log_format import CASE
from haechi.case.verify import verify
from haechi.errors import HaechiError
from haechi_lab.system.case_forgeries import FORGERIES, NEVER_FOUND, ONLY_ENCRYPTED, Forger, Scene
from haechi_lab.system.fingerprints import made_picture, timed, written
from haechi_lab.system.interruptions import WAYS
from haechi_lab.system.server.result import row

_PHRASE = "a passphrase for a measurement"
_COLUMNS = (
    "what was forged",
    "of each",
    "encrypted: passed",
    "passed with a noted seal",
    "without a passphrase: passed",
    "passed with a noted seal",
)


def bench_case(
    out: Path | None, *, changes: int = 1000, forgeries: int = 12, megabytes: int = 200
) -> dict[str, Any]:
    """Random single-byte changes, forgeries made without the passphrase, additions ended by force, and the
    pace of storing and verifying a large file, each for a case without a passphrase and one with."""
    kinds: list[tuple[str, str | None]] = [("open", None)]
    if find_spec("cryptography") is not None:
        kinds.append(("encrypted", _PHRASE))
    rows, passed = [], {}
    for name, phrase in kinds:
        with tempfile.TemporaryDirectory() as folder:
            case = _example(Path(folder) / "case", phrase)
            caught = _caught(case, changes, random.Random(0))
            rows.append(
                row(f"changed bytes found, {name} case, of {changes}", caught, "", changes, least=True)
            )
        with tempfile.TemporaryDirectory() as folder:
            passed[name] = _forged(Path(folder), phrase, forgeries)
            rows += _forgery_rows(name, passed[name], forgeries)
            rows += _interruption_rows(name, Path(folder) / "older", phrase)
            rows += _pace_rows(name, _example(Path(folder) / "pace", phrase), megabytes)
    facts = {"changes": changes, "forgeries": forgeries}
    return written(out, facts, rows, {"passed": passed, "table": _table(passed, forgeries)})


def _example(folder: Path, phrase: str | None) -> Case:
    case = Case.create(folder, "measured", phrase)
    for seed in range(3):
        coded = cv2.imencode(".jpg", made_picture(seed))[1].tobytes()
        case.add(coded, name=f"{seed}.jpg", address=f"https://example.org/{seed}", note="a note")
    case.add(b"a text", name="note.txt")
    return case


def _caught(case: Case, changes: int, rng: random.Random) -> int:
    """How many of so many changed bytes are found without the passphrase; the file is drawn first, so that
    small ones count as much."""
    files = sorted(p for p in case.folder.rglob("*") if p.is_file() and p.stat().st_size)
    shut, caught = Case.open(case.folder), 0
    for _ in range(changes):
        path = rng.choice(files)
        content = path.read_bytes()
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= rng.randrange(1, 256)
        path.write_bytes(changed)
        caught += not shut.verify().intact
        path.write_bytes(content)
    return caught if shut.verify().intact else 0


def scene(folder: Path, phrase: str | None) -> tuple[Scene, str]:
    """A case, an older state of it, a way on which that state went elsewhere, another case; and the seal of
    the case."""
    older = _texts(folder / "older", phrase, "first")
    for name in ("fork", "newest", "case"):
        shutil.copytree(older.folder, folder / name)
    for name in ("fork", "newest"):
        grown = Case.open(folder / name, phrase)
        for text in ("one more", "and another"):
            grown.add(f"{text}: {name}".encode(), name=f"{name}.txt")
    other = _texts(folder / "other", phrase, "other")
    head = Case.open(folder / "newest").head
    return Scene(folder / "case", older.folder, folder / "fork", other.folder), head


def _texts(folder: Path, phrase: str | None, word: str) -> Case:
    case = Case.create(folder, word, phrase)
    for number in range(3):
        case.add(f"{word} {number}".encode() * 40, name=f"{word}{number}.txt", address="https://example.org/")
    return case


def _forged(folder: Path, phrase: str | None, count: int) -> dict[str, dict[str, int]]:
    """How many of so many forgeries of each kind pass: by themselves (with the passphrase, where there is
    one) and against the seal that was noted."""
    stage, head = scene(folder, phrase)
    judge = Judge(stage.folder, phrase)
    rng, out = random.Random(7), {}
    for name in FORGERIES:
        if phrase is None and name in ONLY_ENCRYPTED:
            continue
        passed = {"alone": 0, "noted": 0}
        for _ in range(1 if name == NEVER_FOUND else count):
            forged(stage, name, rng)
            for how, seal in (("alone", ""), ("noted", head)):
                passed[how] += not judge.found(seal)
        out[name] = passed
    return out


def forged(stage: Scene, name: str, rng: random.Random) -> None:
    """Put the case there anew and forge it; drawn again when that changed nothing, or came out as the older
    state that somebody kept."""
    newest = stage.folder.with_name("newest")
    same = [_state(newest)] + ([] if name == NEVER_FOUND else [_state(stage.older)])
    while True:
        shutil.rmtree(stage.folder)
        shutil.copytree(newest, stage.folder)
        FORGERIES[name](Forger(stage, rng))
        if _state(stage.folder) not in same:
            return


class Judge:
    """What ``haechi case verify`` makes of a folder. The passphrase is stretched once, and again only for
    another case.json, which would give another key."""

    def __init__(self, folder: Path, phrase: str | None) -> None:
        self.folder, self._phrase = folder, phrase
        self._about = (folder / CASE).read_bytes()
        self._key = None if phrase is None else open_key(phrase, Log(folder).about()["crypto"])

    def found(self, head: str) -> bool:
        """Whether it tells that the case is not the one that was left. Against a noted seal also lines after
        it are told."""
        try:
            if (self.folder / CASE).read_bytes() == self._about:
                answer = verify(self.folder, head, self._key)
            else:
                answer = Case.open(self.folder, self._phrase).verify(head)
        except HaechiError:
            return True
        return not answer.intact or (bool(head) and answer.noted != answer.records)


def _state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def _forgery_rows(name: str, passed: Mapping[str, Mapping[str, int]], count: int) -> Iterator[dict[str, Any]]:
    kinds = [kind for kind in passed if kind != NEVER_FOUND]
    total = count * len(kinds)
    noted = sum(passed[kind]["noted"] for kind in passed)
    if name == "encrypted":
        alone = sum(passed[kind]["alone"] for kind in kinds)
        yield row(f"forgeries that pass with the passphrase, {name} case, of {total}", alone, "", 0)
    yield row(f"forgeries that pass against a noted seal, {name} case, of {total + 1}", noted, "", 0)


def _interruption_rows(name: str, folder: Path, phrase: str | None) -> Iterator[dict[str, Any]]:
    if not hasattr(os, "fork"):
        return
    command = [sys.executable, "-m", "haechi_lab.system.interruptions", str(folder), ",".join(WAYS)]
    command += [phrase] if phrase else []
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    counts = json.loads(run.stdout)
    of = f"{name} case, of {counts['ended']} additions ended by force"
    yield row(f"called changed, {of}", counts.get("called changed", 0), "", 0)
    yield row(f"in order after the next, {of}", counts["repaired"], "", counts["ended"], least=True)


def _pace_rows(name: str, case: Case, megabytes: int) -> Iterator[dict[str, Any]]:
    large = case.folder.with_name("large.bin")
    with large.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
    yield row(f"storing {megabytes} MB, {name} case", timed(partial(case.add, large)), "s")
    yield row(f"verifying them, {name} case", timed(case.verify), "s")


def _table(passed: Mapping[str, Mapping[str, Mapping[str, int]]], count: int) -> dict[str, Any]:
    def cells(kind: str) -> list[str]:
        counts = [passed.get(name, {}).get(kind) for name in ("encrypted", "open")]
        each = "1" if kind == NEVER_FOUND else str(count)
        return [kind, each, *(str(t[how]) if t else "" for t in counts for how in ("alone", "noted"))]

    return {"columns": list(_COLUMNS), "rows": [cells(kind) for kind in FORGERIES]}
