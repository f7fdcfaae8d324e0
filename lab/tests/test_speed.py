"""Whole processes, measured from outside."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi.errors import HaechiError
from haechi_lab.system import speed as s


def test_speed_measures_whole_processes() -> None:
    cost = s._run(["-c", "import time; x = bytearray(80_000_000); time.sleep(0.2); print('done')"], cores=1)
    assert cost.stdout == "done\n"
    assert 0.2 < cost.seconds < 20
    assert 80 < cost.peak_mb < 1000
    ballast = np.ones(120_000_000)  # what the process that measures holds is no cost of the measured
    assert s._run(["-c", "pass"], cores=1).peak_mb < 200 < ballast.nbytes / 1e6
    with pytest.raises(HaechiError, match="ended with 3: no model"):
        s._run(["-c", "import sys; print('no model', file=sys.stderr); sys.exit(3)"], cores=0)


def test_speed_media_are_what_they_say(tmp_path: Path) -> None:
    portrait = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    s.make_photo(portrait, tmp_path / "photo.jpg")
    assert cv2.imread(str(tmp_path / "photo.jpg")).shape == (3000, 4000, 3)
    s.make_video(portrait, tmp_path / "clip.mp4", frames=12)
    clip = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == 12
    assert (clip.get(cv2.CAP_PROP_FRAME_WIDTH), clip.get(cv2.CAP_PROP_FPS)) == (1280, 30)
    clip.release()


def test_speed_reports_every_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = json.dumps([{"open": 0.1, "faces": 0.2}, "none", 1])
    monkeypatch.setattr(s, "_run", lambda arguments, _: s.Cost(0.1 * len(arguments), 300.0, stages))
    photo, clip = tmp_path / "a.jpg", tmp_path / "a.mp4"
    found = s.speed(tmp_path / "speed.json", photo=photo, video=clip, repeats=2)
    shown = {row["what"]: (row["shown"], row["ok"]) for row in found["rows"]}
    assert shown["given photograph, from a cold start"] == ("0.50 s", True)
    assert shown["each further photograph in the same run"] == ("0.10 s", True)
    assert shown["a process that imports haechi"] == ("0.20 s", True)
    assert "shipped weights" in shown
    text = s.render_speed(found)
    assert "stages, video: open 0.10 s, faces 0.20 s; verdict none, faces 1" in text
    assert json.loads((tmp_path / "speed.json").read_text())["schema"] == s.SCHEMA
    assert "numpy" in s.installed_mb()
