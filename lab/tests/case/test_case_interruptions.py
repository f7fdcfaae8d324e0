"""A kill at any step of an addition leaves a case that is told to be interrupted and not changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from haechi.case import Case


def test_a_kill_at_any_step(tmp_path: Path, passphrase: str | None) -> None:
    case = Case.create(tmp_path / "case", "t", passphrase)
    case.add(b"first")
    way = "after,torn" if passphrase else "before"  # all ways for both: haechi bench case
    command = [sys.executable, "-m", "haechi_lab.system.interruptions", str(case.folder), way]
    command += [passphrase] if passphrase else []
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    counts = json.loads(run.stdout)
    assert counts.get("called changed", 0) == 0
    assert counts["ended"] == counts["repaired"] == counts["interrupted"] + counts["whole"]
    assert counts["interrupted"] > 10
