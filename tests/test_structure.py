"""The house stays easy to walk: short files, short functions, nothing unused."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [ROOT / "src" / "haechi", ROOT / "lab" / "src" / "haechi_lab"]
FILES = [file for source in SOURCES for file in sorted(source.rglob("*.py"))]
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 60


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def test_nothing_is_unused() -> None:
    """By vulture; what it cannot see stands in pyproject.toml, each with its reason."""
    command = [sys.executable, "-m", "vulture", "--config", str(ROOT / "pyproject.toml")]
    run = subprocess.run([*command, *SOURCES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout == ""
