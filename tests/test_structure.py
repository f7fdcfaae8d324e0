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
BARE_PARTICIPLES = {
    "asked", "chosen", "cut", "done", "drawn", "filled", "found", "gathered", "given", "gone", "got", "held",
    "judged", "kept", "known", "laid", "listed", "made", "marked", "measured", "met", "moved", "named",
    "opened", "probed", "said", "seen", "sent", "shown", "spoilt", "stored", "taken", "told", "wanted",
    "written",
}  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    functions = [
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def bare_participles(text: str) -> list[str]:
    """line: name, of every variable, parameter and attribute that says only what was done to it."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.arg):
            names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.attr))
    return [f"{line}: {name}" for line, name in sorted(names) if name.strip("_") in BARE_PARTICIPLES]


def test_variables_say_what_they_hold() -> None:
    sample = (
        "def f(found):\n    for kept in found: self._told = kept\n    x = [y for seen in kept]\n    found()\n"
    )
    assert bare_participles(sample) == ["1: found", "2: _told", "2: kept", "3: seen"]
    names = {str(file.relative_to(ROOT)): bare_participles(file.read_text("utf-8")) for file in FILES}
    assert {file: lines for file, lines in names.items() if lines} == {}


def test_nothing_is_unused() -> None:
    """By vulture; what it cannot see stands in pyproject.toml, each with its reason."""
    command = [sys.executable, "-m", "vulture", "--config", str(ROOT / "pyproject.toml")]
    run = subprocess.run([*command, *SOURCES], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout == ""
