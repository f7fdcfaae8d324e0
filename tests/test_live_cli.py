"""``haechi live``: where frames may come from, what is said, and how it ends."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from calls import CallPipeline, screen, write_rule
from fakes import picture
from haechi import cli
from haechi.errors import InputError, NotAFile, UnknownFormat, UsageError
from haechi.live import ChallengeState, LiveState, PersonState, sources
from haechi.live.telling import Changes, EachSecond, record
from haechi.settings import LANGUAGES, Settings
from haechi.types import Reason

ALONE = (200, 120, 200, 1)
BOX = np.array([1, 2, 3, 4], np.float32)


def state(time_s: float, level: Any = "watching", reason: Reason | None = None) -> LiveState:
    person = PersonState(1, BOX, level, 3.0, 1.5, {"swap": 0.25}, reason)
    return LiveState(time_s, level, (person,), (), 10, 4)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six seconds of one forged caller, ten frames a second."""
    path = tmp_path / "call.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for k in range(60):
        writer.write(np.ascontiguousarray(screen([ALONE], k, [1])[:, :, ::-1]))
    writer.release()
    return path


def haechi(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, *args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``haechi live`` with a network that goes by the red."""
    models = tmp_path / "models"
    models.mkdir()
    write_rule(models)
    pipeline = CallPipeline(Settings(models_dir=str(models)))
    pipeline.finder.tiles = (ALONE,)
    monkeypatch.setenv("HAECHI_MODELS_DIR", str(models))
    monkeypatch.setattr("haechi.pipeline.Pipeline", lambda settings: pipeline)
    monkeypatch.setattr(sys, "argv", ["haechi", "live", *args])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_line_for_each_change(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, film: Path
) -> None:
    code, out, err = haechi(monkeypatch, capsys, tmp_path, "--source", str(film), "--fast")
    lines = [line.partition("person 1: ")[2].partition(":")[0] for line in out.splitlines()]
    assert (code, lines) == (0, ["watching", "ask", "alarm"])
    assert "call back on a number that you know" in out
    assert "Nothing was stored" in err


def test_programs_get_one_object_a_second_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, film: Path
) -> None:
    args = ["--source", str(film), "--fast", "--jsonl", "-q", "--fail-on", "alarm", "--lang", "ko"]
    code, out, err = haechi(monkeypatch, capsys, tmp_path, *args)
    told = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (10, "")
    assert [int(line["time_s"]) for line in told] == list(range(6))
    assert {line["schema"] for line in told} == {"haechi.live/1"}
    assert told[-1]["people"][0]["level"] == told[-1]["level"] == "alarm"
    assert told[-1]["people"][0]["evidence"]["swap"] > 0


def test_a_challenge_is_told_where_it_was_asked_for_or_somebody_may_be_there(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, film: Path
) -> None:
    args = ["--source", str(film), "--fast", "--challenges", "-q", "--lang", "zh"]
    code, out, _ = haechi(monkeypatch, capsys, tmp_path, *args)
    said = [line for line in out.splitlines() if "请对 1 号人物说" in line]
    assert (code, len(said)) == (0, 1)
    assert [sources.is_live(s) for s in ("camera", "camera:1", "rtsp://127.0.0.1/", "call.mp4")] == [
        *(True, True, True, False)
    ]


def challenge(status: Any, advice: Any = None, judge: Any = "video") -> ChallengeState:
    return ChallengeState("turn" if judge == "video" else "word", 1, status, judge, 9.96, advice)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("judge", ["video", "user"])
@pytest.mark.parametrize(("status", "advice"), [("done", "watch"), ("not_seen", "again"), ("done", "verify")])
def test_each_step_of_a_challenge_is_said_once(lang: str, judge: Any, status: Any, advice: Any) -> None:
    changes = Changes(lang)

    def lines(now: ChallengeState) -> list[str]:
        return list(changes.lines(replace(state(1.0), challenge=now)))

    assert len(lines(challenge("asked", judge=judge))) == 2, "the level, and what is to be said"
    assert lines(challenge("asked", judge=judge)) == []
    assert len(lines(challenge("begun", judge=judge))) == 1
    assert len([*lines(challenge(status, judge=judge)), *lines(challenge(status, advice, judge))]) == 2
    assert not any("live_" in line for line in lines(challenge("asked", judge=judge)))


def test_programs_are_told_of_a_challenge() -> None:
    told = record(replace(state(1.0), challenge=challenge("begun")), "en")["challenge"]
    assert told == {
        "name": "turn", "person": 1, "status": "begun", "judge": "video", "left_s": 10.0, "advice": None,
        "say": "Please turn your head all the way to the side, and back again.",
    }  # fmt: skip


def test_what_has_not_changed_is_not_said_again() -> None:
    changes = Changes("en")
    assert len(list(changes.lines(state(0.0)))) == 1
    assert list(changes.lines(state(1.0))) == []
    away = LiveState(2.0, "no_picture", (), (Reason("live_black"),), 11, 4)
    assert [line.split("  ")[1] for line in changes.lines(away)] == [
        "The picture is black: the window may be minimised, or not let itself be captured."
    ]
    assert list(changes.lines(away)) == []
    assert [line.split("  ")[1] for line in changes.lines(state(3.0))] == ["There is a picture again."]
    assert len(list(changes.lines(state(4.0, "alarm")))) == 1
    assert changes.highest == "alarm"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("level", ["watching", "ask", "alarm"])
def test_no_level_clears_or_condemns(lang: str, level: Any) -> None:
    (line,) = Changes(lang).lines(state(0.0, level))
    never = {"en": ("is fake", "is genuine.", "safe"), "zh": ("是假的", "安全"), "ko": ("가짜입니다", "안전")}
    assert line
    assert not any(word in line for word in never[lang])


def test_an_object_holds_what_a_program_needs_and_no_picture() -> None:
    told = record(state(12.3456, "no_picture", Reason("face_too_small", {"face_px": 20, "min_px": 40})), "en")
    assert told["time_s"] == 12.346
    assert told["people"] == [
        {
            "id": 1, "box_xyxy": [1.0, 2.0, 3.0, 4.0], "level": "no_picture", "judged_s": 3.0,
            "statistic": 1.5, "evidence": {"swap": 0.25},
            "reason": {
                "code": "face_too_small",
                "text": "The face is too small to judge: 20 pixels across, and at least 40 are needed.",
            },
        }
    ]  # fmt: skip


def test_one_state_a_second_is_due() -> None:
    each = EachSecond()
    assert [each.due(state(t)) for t in (0.1, 0.5, 1.2, 1.4, 5.0)] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("source", "error", "why"),
    [
        ("rtsp://8.8.8.8/cam", UsageError, "out of this network"),
        ("rtsp://[2001:4860:4860::8888]/cam", UsageError, "out of this network"),
        ("rtsp://[::ffff:8.8.8.8]/cam", UsageError, "out of this network"),
        ("rtsp://cam.example/", UsageError, "looks no name up"),
        ("http://127.0.0.1/cam", UsageError, "--source takes"),
        ("rtsp://", UsageError, "--source takes"),
        ("rtsp://127.0.0.1:port/", UsageError, "--source takes"),
        ("camera:front", UsageError, "number of a camera"),
        ("nothing.mp4", NotAFile, "no such file"),
    ],
)
def test_sources_that_are_refused(source: str, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        sources.arrivals(source, Settings())


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://127.0.0.1/a",
        "rtsp://me:secret@192.168.1.2:8554/live?x=1",
        "rtsp://[::1]/",
        "rtsp://localhost/a",
    ],
)
def test_a_stream_of_this_network_is_opened(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(
        sources, "_opened", lambda target: opened.append(target) or Capture([screen([ALONE], 0)])
    )
    frames = sources.arrivals(url, Settings())
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert opened == [url]


def test_a_photograph_is_no_call(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="no video"):
        sources.arrivals(str(picture(tmp_path / "a.png", "none")), Settings())


def test_a_file_keeps_its_own_pace_unless_it_is_told_to_hurry(
    monkeypatch: pytest.MonkeyPatch, film: Path
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    times = [time_s for _, time_s in sources.arrivals(str(film), Settings())]
    assert slept == [t for t in times if t > 0]
    assert np.diff(times).max() <= 0.21
    slept.clear()
    assert len(list(sources.arrivals(str(film), Settings(), fast=True))) == len(times)
    assert slept == []


class Capture:
    """Gives its frames, then none."""

    def __init__(self, frames: list[np.ndarray[Any, Any]]) -> None:
        self.frames, self.released = frames, False

    def read(self) -> tuple[bool, np.ndarray[Any, Any] | None]:
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self) -> None:
        self.released = True


def test_a_camera_that_stops_is_told_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture([np.full((48, 64, 3), (0, 0, 255), np.uint8)])
    monkeypatch.setattr(sources, "_opened", lambda target: capture)
    monkeypatch.setattr(sources, "WAIT_S", 0.05)
    monkeypatch.setattr(sources, "GONE_S", 0.2)
    seen = []
    frames = sources.arrivals("camera", Settings())
    with pytest.raises(InputError, match="no picture"):
        seen.extend(None if rgb is None else tuple(rgb[0, 0]) for rgb, _ in frames)
    assert seen[0] == (255, 0, 0)
    assert set(seen[1:]) == {None}
    assert capture.released


def test_a_camera_is_let_go_when_nobody_watches_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture([np.zeros((48, 64, 3), np.uint8)] * 3)
    monkeypatch.setattr(sources, "_opened", lambda target: capture)
    frames = sources.arrivals("camera:1", Settings())
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert capture.released
