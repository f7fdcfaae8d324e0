"""``haechi bench``: what is no verb is a manifest; results and tables; the speedometer."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from haechi.bench import speed as s
from haechi.bench.cli import app
from haechi.bench.scorer import CheckScorer
from haechi.errors import HaechiError, UsageError
from haechi.types import Evidence, Quality, Reason, Verdict

RUNNER = CliRunner()


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = ["path,label,group,split"]
    for k in range(8):
        rgb = np.full((40, 40, 3), 20 * k, dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{k}.png"), rgb)
        lines.append(f"{k}.png,{('real', 'fake')[k % 2]},g{k // 2},{'train' if k > 5 else 'val'}")
    path = tmp_path / "list.csv"
    path.write_text("\n".join(lines) + "\n")

    class Report:
        evidence = (Evidence("swap", "1", "scored", 0.5, Reason("x")),)
        quality = Quality(120.0, 0.1, None, ())

        def __init__(self, source: Any) -> None:
            data = Path(source).read_bytes() if isinstance(source, os.PathLike) else source
            p = float(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).mean()) / 255
            self.verdict = Verdict("some" if p > 0.3 else "none", p, None, ())

    monkeypatch.setattr(importlib.import_module("haechi.check"), "check", lambda source, _: Report(source))
    monkeypatch.setattr(CheckScorer, "models", lambda _: [])
    monkeypatch.chdir(tmp_path)
    return path


def test_a_manifest_needs_no_verb(manifest: Path) -> None:
    done = RUNNER.invoke(
        app, [str(manifest), "--rungs", "clean,jpeg40", "--where", "split=val", "--resamples", "20"]
    )
    assert done.exit_code == 0, done.output
    assert "| overall | 3 | 3 |" in done.stdout
    assert "| jpeg40 |" in done.stdout
    found = json.loads((manifest.parent / "results" / "list.json").read_text())
    assert found["command"] == "haechi bench list.csv --rungs clean,jpeg40 --where split=val --resamples 20"
    assert list(found["rungs"]) == ["clean", "jpeg40"]


def test_what_was_different_stands_in_the_result(manifest: Path) -> None:
    words = ["--rungs", "clean", "--note", "without noise", "--resamples", "20"]
    done = RUNNER.invoke(app, [str(manifest), *words])
    assert done.exit_code == 0, done.output
    found = json.loads((manifest.parent / "results" / "list.json").read_text())
    assert found["note"] == "without noise"
    assert "--note 'without noise'" in found["command"]


def test_tables_and_their_check(manifest: Path) -> None:
    RUNNER.invoke(app, [str(manifest), "--rungs", "clean", "--resamples", "20"])
    page = manifest.parent / "README.md"
    page.write_text("<!-- results:list view=ladder -->\n<!-- /results -->\n")
    old = RUNNER.invoke(app, ["tables", "--check"])
    assert (old.exit_code, old.stdout) == (1, "out of date: README.md\n")
    assert RUNNER.invoke(app, ["tables"]).stdout == "written: README.md\n"
    assert RUNNER.invoke(app, ["tables", "--check"]).exit_code == 0
    assert "| clean |" in page.read_text()


def test_mistakes_are_usage_errors(manifest: Path) -> None:
    for arguments in (["none.csv"], [str(manifest), "--rungs", "x"], [str(manifest), "--where", "split"]):
        assert isinstance(RUNNER.invoke(app, arguments).exception, UsageError)
    assert RUNNER.invoke(app, [str(manifest), "--unknown"]).exit_code == 2
    assert "MANIFEST" in RUNNER.invoke(app, ["run", "--help"]).stdout
    assert "speed" in RUNNER.invoke(app, ["--help"]).stdout


def test_speed_measures_whole_processes() -> None:
    cost = s._run(["-c", "import time; x = bytearray(80_000_000); time.sleep(0.2); print('done')"], cores=1)
    assert cost.stdout == "done\n"
    assert 0.2 < cost.seconds < 20
    assert 80 < cost.peak_mb < 1000
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
    assert "shipped weights" in shown
    text = s.render_speed(found)
    assert "stages, video: open 0.10 s, faces 0.20 s; verdict none, faces 1" in text
    assert json.loads((tmp_path / "speed.json").read_text())["schema"] == s.SCHEMA
    assert "numpy" in s.installed_mb()
