"""The rule of the house that imports run downwards, held by reading the sources; and that neither PyTorch nor
the lab is needed by what people run, held by reading and by trying."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import haechi

SOURCE = Path(haechi.__file__).parent
GROUND = {"types", "errors", "settings"}  # everything may import these

# What each piece (a module or package right under haechi) may import, besides GROUND and itself.
ALLOWED: dict[str, set[str]] = {
    "values": set(),
    "types": {"values"},
    "errors": set(),
    "extensions": set(),
    "verb_groups": set(),
    "folders": set(),
    "settings": set(),
    "server_options": set(),
    "face_regions": set(),
    "helplines": set(),
    "laws": set(),
    "platforms": set(),
    "pdq": set(),
    "head": set(),
    "regular_files": set(),
    "registry": set(),
    "models": {"registry", "regular_files"},
    "calibration": {"models"},
    "media": set(),
    "keyframes": set(),
    "terminal": set(),
    "report": {"pdq"},
    "faces": {"models", "media", "values"},
    "quality": {"models"},
    "detectors": {"calibration", "face_regions", "models", "registry"},
    "marks": set(),
    "verdict": {"marks", "models"},
    "claims": {"media", "pdq", "regular_files", "registry"},
    "stages": {"claims", "detectors", "faces", "media"},
    "pipeline": {
        *("claims", "media", "faces", "quality", "detectors", "verdict", "models", "keyframes", "report"),
        "stages",
    },
    "live": {
        *("calibration", "faces", "head", "media", "models", "pipeline", "quality", "report", "values"),
        "verdict",
    },
    "verify": {
        *("calibration", "faces", "head", "media", "models", "pdq", "pipeline", "quality", "report"),
        *("values", "verdict"),
    },
    "outcome": {"terminal"},
    "cli_check": {
        *("batch", "client", "isolated", "outcome", "pipeline", "report_writer", "terminal"),
    },
    "cli_live": {"live", "outcome", "pipeline", "terminal"},
    "cli_verify": {"bench", "outcome", "terminal", "verify"},
    "check": {"media", "pipeline", "report"},
    "isolated": {"faces", "live", "media", "pipeline", "report", "verify"},
    "report_writer": {"media", "report", "terminal"},
    "model_table": {"models", "terminal"},
    "doctor": {"media", "models", "server_options"},
    "batch": {
        *("case", "folders", "isolated", "media", "models", "pdq", "report", "terminal", "verb_groups"),
    },
    "bench": {
        "check",
        "detectors",
        "extensions",
        "media",
        "faces",
        "models",
        "pipeline",
        "report",
        "terminal",
        "verb_groups",
    },
    "case": {"pipeline", "folders", "helplines", "isolated", "laws", "media", "pdq", "report", "terminal"},
    "web": {
        *("case", "helplines", "isolated", "laws", "live", "media", "models", "pipeline", "platforms"),
        *("regular_files", "report", "server_options", "verify"),
    },
    "client": {"report"},
    "cli": {
        *("batch", "bench", "case", "cli_check", "cli_live", "cli_verify", "doctor", "extensions", "models"),
        *("outcome", "server_options", "model_table", "terminal", "web"),
    },
    "__init__": {"check", "pipeline", "report"},
    "__main__": {"cli"},
}

FILES = sorted(SOURCE.rglob("*.py"))


LAB = Path(__file__).parents[1] / "lab" / "src" / "haechi_lab"
MODULES = {
    ".".join(file.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__"): file
    for root in (SOURCE, LAB)
    for file in sorted(root.rglob("*.py"))
}


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
    """The lab adds its verbs by entry points: nothing here imports it."""
    assert not {"torch", "torchvision", "onnx", "haechi_lab"} & {
        name.split(".")[0] for name in imported(file)
    }


def test_detectors_do_not_import_each_other() -> None:
    for file in (SOURCE / "detectors").glob("*.py"):
        others = {name.split(".")[2] for name in imported(file) if name.startswith("haechi.detectors.")}
        others -= {"evidence", "network"}  # what they share
        assert file.stem == "__init__" or not others, f"{file.name} imports another detector"


def needed_modules(file: Path) -> set[str]:
    """Files of ours that a file imports when it runs, also inside functions; what only type checkers import
    is left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file.name} imports by a relative name: write it out"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else str(node.module) for name in whole}
    return names & MODULES.keys()


def cycles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """What is left of a graph when everything that imports nothing more is taken away, again and again; then
    likewise everything that nothing imports. Empty without a cycle."""
    left = {name: set(targets) - {name} for name, targets in graph.items()}
    while leaves := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in leaves}
    while roots := left.keys() - {t for targets in left.values() for t in targets}:
        left = {name: targets for name, targets in left.items() if name not in roots}
    return [[name, *sorted(targets & left.keys())] for name, targets in sorted(left.items())]


def test_there_is_no_cycle_of_files() -> None:
    assert {name.partition(".")[0] for name in MODULES} == {"haechi", "haechi_lab"}
    assert cycles({name: needed_modules(file) for name, file in MODULES.items()}) == []


def test_cycles_are_found() -> None:
    chain = {"a": {"b"}, "b": {"c"}, "c": set[str](), "d": {"a"}}
    assert cycles(chain) == []
    assert cycles(chain | {"c": {"b"}}) == [["b", "c"], ["c", "b"]]


def loaded_by(statement: str) -> set[str]:
    """Top-level names of all modules in a fresh process after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_command_line_starts_light() -> None:
    loaded = loaded_by("import haechi, haechi.cli, haechi.pipeline")
    assert not loaded & {"torch", "numpy", "cv2", "onnxruntime", "PIL", "rich", "jinja2"}


def test_doctor_needs_nothing_of_the_server() -> None:
    loaded = loaded_by("from haechi import doctor; list(doctor.lines())")
    assert not loaded & {"starlette", "fastapi", "uvicorn", "jinja2", "python_multipart"}


def test_nothing_that_people_run_loads_torch() -> None:
    pieces = [
        name for name in sorted({piece(file) for file in FILES}) if name not in ("__main__", "__init__")
    ]
    loaded = loaded_by("\n".join(f"import haechi.{name}" for name in pieces))
    assert not loaded & {"torch", "onnx", "haechi_lab"}


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
