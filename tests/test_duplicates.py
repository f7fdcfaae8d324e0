"""No two files share a run of six lines of code: what is written twice is mended once, and stays broken in
the other place."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import haechi

SOURCE = Path(haechi.__file__).parent
RUN = 6


def code_lines(text: str) -> list[tuple[int, str]]:
    """(number, stripped text) of the lines of code: without imports, docstrings, comments, signatures,
    declarations of fields, blank lines and those that only close brackets."""
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        if isinstance(node, ast.FunctionDef):
            left_out.update(range(node.lineno, node.body[0].lineno))
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_field = isinstance(node, ast.AnnAssign) and node.value is None
        if is_text or is_field or isinstance(node, ast.Import | ast.ImportFrom):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [
        (number, line)
        for number, line in lines
        if number not in left_out and line.strip("()[]{},: ") and not line.startswith("#")
    ]


def shared_runs(files: list[Path]) -> list[str]:
    """Where runs of RUN lines begin that stand in several of the files."""
    places: dict[tuple[str, ...], dict[Path, int]] = defaultdict(dict)
    for file in files:
        lines = code_lines(file.read_text(encoding="utf-8"))
        for at in range(len(lines) - RUN + 1):
            run = tuple(line for _, line in lines[at : at + RUN])
            places[run].setdefault(file, lines[at][0])
    return [
        " and ".join(f"{file.parent.name}/{file.name}:{number}" for file, number in by_file.items())
        for by_file in places.values()
        if len(by_file) > 1
    ]


def test_no_two_files_share_a_run_of_lines() -> None:
    files = [file for file in sorted(SOURCE.rglob("*.py")) if "lab" not in file.relative_to(SOURCE).parts]
    shared = shared_runs(files)
    assert not shared, f"{RUN} equal lines on end, give them one place: " + "; ".join(shared)


def test_a_shared_run_is_seen_whatever_stands_between_its_lines(tmp_path: Path) -> None:
    body = "\n".join(f"    x{n} = f({n})" for n in range(RUN))
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text(f'import os\n\n\ndef one():\n    """One."""\n{body}\n')
    other.write_text(f"def other():\n    # Another.\n{body}\n".replace("\n    x", "\n\n    x"))
    assert len(shared_runs([one, other])) == 1
    other.write_text(other.read_text().replace("f(3)", "f(4)"))
    assert shared_runs([one, other]) == []
