"""The figures of the case file are measured by commands, and the commands work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from haechi.case import encryption
from haechi_lab.system import case_integrity as case
from haechi_lab.system import commands
from haechi_lab.system import fingerprints as evidence


def test_fingerprints_are_measured(tmp_path: Path) -> None:
    out = tmp_path / "pdq.json"
    done = CliRunner().invoke(commands.pdq, ["--out", str(out), "--limit", "4", "--hashes", "2000"])
    assert done.exit_code == 0, done.output
    result = json.loads(out.read_text())
    assert (result["schema"], result["n_pictures"]) == ("haechi.evidence/1", 4)
    assert all(row["ok"] for row in result["rows"])
    survived = result["survival"]
    assert survived["mirrored"]["whole"] == survived["JPEG 70"]["whole"] == 1.0
    assert sum(s["false"] for s in survived.values()) == 0
    assert len(result["table"]["rows"]) == len(survived)


def test_changed_bytes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encryption, "COST", 2**4)
    monkeypatch.setattr(case, "WAYS", ("after",))
    out = tmp_path / "case.json"
    done = CliRunner().invoke(
        commands.case, ["--out", str(out), "--changes", "12", "--mb", "1", "--forgeries", "1"]
    )
    assert done.exit_code == 0, done.output
    assert all(row["ok"] for row in json.loads(out.read_text())["rows"])
    assert "of 12" in done.output


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    from haechi.errors import UsageError

    with pytest.raises(UsageError, match="no picture"):
        evidence.bench_pdq(None, tmp_path)
