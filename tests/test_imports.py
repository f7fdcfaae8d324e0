"""The rule of the house that imports run downwards, held by reading the sources; and that PyTorch stays in
the lab, held by reading and by trying."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import haechi

SOURCE = Path(haechi.__file__).parent
GROUND = {"types", "errors", "settings"}  # everything may import these

# What each piece (a module or package right under haechi) may import, besides GROUND and itself.
ALLOWED: dict[str, set[str]] = {
    "types": set(),
    "errors": set(),
    "settings": set(),
    "calibration": set(),
    "places": set(),
    "helplines": set(),
    "pdq": set(),
    "regular": set(),
    "models": {"regular"},
    "media": set(),
    "previews": set(),
    "terminal": set(),
    "report": set(),
    "faces": {"models", "media"},
    "quality": {"models"},
    "detectors": {"calibration", "models", "places"},
    "verdict": {"models"},
    "claims": {"media", "pdq", "regular"},
    "check": {"claims", "media", "faces", "quality", "detectors", "verdict", "models", "previews"},
    "isolated": {"check", "report"},
    "output": {"media", "report", "terminal"},
    "shelf": {"models", "terminal"},
    "doctor": {"media", "models", "web"},
    "bench": {"case", "check", "client", "media", "faces", "models", "pdq", "report", "terminal"},
    "lab": {
        *("bench", "calibration", "check", "detectors", "faces"),
        *("media", "models", "pdq", "quality", "terminal", "verdict"),
    },
    "case": {"check", "helplines", "isolated", "media", "pdq", "report", "terminal"},
    "web": {"case", "check", "helplines", "isolated", "media", "models", "regular", "report"},
    "client": {"report"},
    "cli": {
        *("bench", "case", "check", "client", "doctor", "isolated", "lab", "models"),
        *("output", "report", "shelf", "terminal", "web"),
    },
    "__init__": {"check"},
    "__main__": {"cli"},
}

FILES = sorted(SOURCE.rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    """Full names of the modules that a file imports anywhere, also inside functions and for type checkers."""
    package = ["haechi", *file.relative_to(SOURCE).parent.parts]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def piece(file: Path) -> str:
    first = file.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_run_downwards(file: Path) -> None:
    own = piece(file)
    assert own in ALLOWED, f"a new piece {own}: add its line to the table, as low as it can be"
    targets = {name.split(".")[1] for name in imported(file) if name.startswith("haechi.")} - {"__version__"}
    assert targets <= ALLOWED[own] | GROUND | {own}, f"{own} imports upwards"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_only_the_lab_imports_torch(file: Path) -> None:
    if piece(file) != "lab":
        assert not {"torch", "torchvision", "onnx"} & {name.split(".")[0] for name in imported(file)}


def test_detectors_do_not_import_each_other() -> None:
    for file in (SOURCE / "detectors").glob("*.py"):
        others = {name.split(".")[2] for name in imported(file) if name.startswith("haechi.detectors.")}
        assert file.stem == "__init__" or not others, f"{file.name} imports another detector"


def loaded_by(statement: str) -> set[str]:
    """Top-level names of all modules in a fresh process after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_command_line_starts_light() -> None:
    loaded = loaded_by("import haechi, haechi.cli, haechi.check")
    assert not loaded & {"torch", "numpy", "cv2", "onnxruntime", "PIL", "rich"}


def test_nothing_that_people_run_loads_torch() -> None:
    pieces = [
        name
        for name in sorted({piece(file) for file in FILES})
        if name not in ("lab", "__main__", "__init__")
    ]
    loaded = loaded_by("\n".join(f"import haechi.{name}" for name in pieces))
    assert not loaded & {"torch", "onnx"}


def test_the_function_survives_the_import_of_its_module() -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import haechi, haechi.check; print(haechi.check.__name__, callable(haechi.check))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["check", "True"]
