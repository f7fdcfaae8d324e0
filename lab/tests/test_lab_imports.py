"""No circle of files in the lab, and nothing there reaches into what only tests may use."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import haechi_lab

SOURCE = Path(haechi_lab.__file__).parent
MODULES = {
    ".".join(["haechi_lab", *file.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__"): file
    for file in sorted(SOURCE.rglob("*.py"))
}


def imported(file: Path) -> set[str]:
    """Modules of the lab that a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= whole if whole & MODULES.keys() else {node.module}
    return names & MODULES.keys()


def test_there_is_no_circle() -> None:
    graph = {name: imported(file) - {name} for name, file in MODULES.items()}
    order = TopologicalSorter(graph).static_order()  # raises CycleError, which names the circle
    assert set(order) == MODULES.keys()
