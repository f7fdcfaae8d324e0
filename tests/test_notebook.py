"""The notebook of the documentation runs from its first cell to its last, and is stored without outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "python.ipynb"


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in every if cell["cell_type"] == "code"]


def test_it_is_stored_without_outputs(cells: list[dict[str, Any]]) -> None:
    assert len(cells) > 8
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    assert {cell["execution_count"] for cell in cells} == {None}


def test_every_cell_runs_in_its_order(cells: list[dict[str, Any]]) -> None:
    """In a fresh process, as a kernel would run them; the build of the documentation runs it in one."""
    code = "\n\n".join("".join(cell["source"]) for cell in cells)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        cwd=NOTEBOOK.parent,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    for words in ("No signs found", "convert them with .astype", "swap | scored", "report.html True"):
        assert words in run.stdout
