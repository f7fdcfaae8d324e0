"""``haechi bench``: what is no verb is a manifest; what is measured stands in the result."""

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

from haechi.bench.cli import app
from haechi.bench.scorer import CheckScorer
from haechi.errors import UsageError
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

    monkeypatch.setattr(
        importlib.import_module("haechi.check"), "check", lambda source, _, **more: Report(source)
    )
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


def test_mistakes_are_usage_errors(manifest: Path) -> None:
    for arguments in (["none.csv"], [str(manifest), "--rungs", "x"], [str(manifest), "--where", "split"]):
        assert isinstance(RUNNER.invoke(app, arguments).exception, UsageError)
    assert RUNNER.invoke(app, [str(manifest), "--unknown"]).exit_code == 2
    assert "MANIFEST" in RUNNER.invoke(app, ["run", "--help"]).stdout
    assert "speed" in RUNNER.invoke(app, ["--help"]).stdout
