"""A call in a process of its own: what goes in and out, and that a process that ended is not taken for one
that saw nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callers import THRESHOLDS, jpeg
from haechi.errors import Crashed, DamagedFile, InputError, OverLimit, UsageError
from haechi.isolated import CallProcess
from haechi.settings import Settings


def silent(_stage: str, _part: float) -> None:
    """Nobody asks how far it is."""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallProcess]:
    tests = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]))
    settings = replace(Settings(), max_pixels=100 * 100)
    process = CallProcess(settings, scratch=tmp_path, target="callers:calls")
    yield process
    process.stop()
    assert not list(tmp_path.iterdir())


def test_a_call_from_its_first_frame_to_its_last(call: CallProcess) -> None:
    assert call.begin(silent) == THRESHOLDS
    first = call.add(jpeg(), 1.0, silent)
    assert (first["level"], first["size"], first["frames"], first["looks"]) == ("watching", [64, 48], 1, 7)
    (person,) = first["people"]
    assert person == {
        **{"id": 3, "box": [1.0, 2.0, 3.0, 4.0], "level": "watching", "seen_s": 2.0, "statistic": 1.5},
        **{"second": {"swap": 0.5}, "reason": None},
    }
    assert call.add(jpeg(), 31.0, silent)["level"] == "ask"
    small = call.add(jpeg(size=(40, 40)), 32.0, silent)["people"][0]["reason"]
    assert small == {"code": "face_too_small", "params": {"face_px": 20.0, "min_px": 40}}
    missed = call.miss(35.0, silent)
    assert (missed["level"], missed["people"]) == ("no_picture", [])
    assert missed["reasons"] == [{"code": "live_no_frame", "params": {}}]
    assert json.loads(json.dumps(missed)) == missed


@pytest.mark.parametrize(
    ("picture", "error"),
    [
        (jpeg()[:200], DamagedFile),
        (b"\xff\xd8\xff" + os.urandom(300), InputError),
        (jpeg(size=(101, 100)), OverLimit),
    ],
    ids=["cut off", "noise", "too many pixels"],
)
def test_a_frame_that_cannot_be_read_is_refused_and_the_session_stays(
    call: CallProcess, picture: bytes, error: type[InputError]
) -> None:
    call.begin(silent)
    call.add(jpeg(), 1.0, silent)
    with pytest.raises(error):
        call.add(picture, 2.0, silent)
    assert call.add(jpeg(), 3.0, silent)["frames"] == 2


def test_a_process_that_ended_has_forgotten_and_says_so(call: CallProcess) -> None:
    """Begun anew without a word, it would say "watching" after an alarm."""
    call.begin(silent)
    with pytest.raises(Crashed):
        call.add(jpeg(255), 1.0, silent)
    with pytest.raises(UsageError, match="begin again"):
        call.add(jpeg(), 2.0, silent)
    with pytest.raises(UsageError, match="begin again"):
        call.miss(3.0, silent)
