"""The picture of the floors of the house, drawn from the imports of its sources.

A *room* is a module or package right under ``haechi``. It stands one floor above the highest room that it
imports; what everything may import is the ground. Lines lead to what a room imports, less those that another
room between them implies.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TypeAlias

Graph: TypeAlias = Mapping[str, frozenset[str]]

GROUND = ("errors", "settings", "types")
_LEFT_OUT = ("__init__", "__main__")

_ROOM_W, _ROOM_H, _GAP, _FLOOR_H, _MARGIN = 116, 34, 8, 104, 24


def imports(source: Path) -> Graph:
    """Of each room under ``source``, the rooms that it imports anywhere, also inside functions."""
    graph: dict[str, set[str]] = {}
    for file in sorted(source.rglob("*.py")):
        room = file.relative_to(source).parts[0].removesuffix(".py")
        if room not in _LEFT_OUT:
            graph.setdefault(room, set()).update(_imported(file))
    rooms = graph.keys()
    return {room: frozenset(targets & rooms - {room}) for room, targets in graph.items()}


def ground(graph: Graph) -> frozenset[str]:
    """What everything may import, and whatever that imports itself."""
    rooms = frozenset(GROUND)
    while not (more := rooms.union(*(graph.get(room, frozenset()) for room in rooms))) <= rooms:
        rooms = more
    return rooms


def floor_of(graph: Graph) -> dict[str, int]:
    """0 for the ground and 1 for what imports nothing above it. Raises ValueError on a circle."""
    floors: dict[str, int] = dict.fromkeys(sorted(ground(graph)), 0)
    remaining = {room: targets - floors.keys() for room, targets in graph.items() if room not in floors}
    while remaining:
        ready = [room for room, targets in remaining.items() if not targets & remaining.keys()]
        if not ready:
            raise ValueError(f"these rooms import each other: {', '.join(sorted(remaining))}")
        floors |= {room: 1 + max((floors[t] for t in remaining[room]), default=0) for room in ready}
        remaining = {room: targets for room, targets in remaining.items() if room not in ready}
    return floors


def drawing(graph: Graph) -> str:
    """The floors as SVG, the highest on top."""
    floors = floor_of(graph)
    rows = _ordered(graph, floors)
    places = dict(_placed(rows))
    width, height = _width(rows), _FLOOR_H * len(rows) + 2 * _MARGIN
    shapes = [f'<rect width="{width}" height="{height}" rx="12" fill="#fbfaf7"/>']
    shapes += list(_floors(rows, width, height))
    shapes += [_line(places[room], places[below]) for room, below in _essential(graph)]
    shapes += [_room(room, *places[room], low=not floors[room]) for row in rows for room in row]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif" font-size="14">\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def table(source: Path) -> str:
    """The rooms in Markdown, the highest first, each with the first sentence of its docstring."""
    floors = floor_of(imports(source))
    rooms = sorted(floors, key=lambda room: (-floors[room], room))
    rows = [f"| {floors[room] or 'ground'} | `{room}` | {_about(source, room)} |" for room in rooms]
    return "\n".join(["| floor | room | what it is |", "| --- | --- | --- |", *rows]) + "\n"


def _about(source: Path, room: str) -> str:
    file = source / f"{room}.py"
    tree = ast.parse((file if file.is_file() else source / room / "__init__.py").read_text(encoding="utf-8"))
    first = (ast.get_docstring(tree) or "").split("\n\n")[0]
    sentence = re.split(r"(?<=\w\.)\s", " ".join(first.split()))[0]
    return sentence.replace("``", "`").replace("|", "\\|").rstrip(".:")


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("haechi."))


def _essential(graph: Graph) -> list[tuple[str, str]]:
    """The imports that no other room between the two implies; those of the ground are left out."""
    floors = floor_of(graph)
    above = {
        room: frozenset(below for below in graph[room] if floors[below])
        for room in sorted(graph, key=lambda room: (floors[room], room))
        if floors[room]
    }
    reach: dict[str, frozenset[str]] = {}
    for room, targets in above.items():
        reach[room] = targets.union(*(reach[below] for below in targets))
    return [
        (room, below)
        for room, targets in sorted(above.items())
        for below in sorted(targets)
        if not any(below in reach[other] for other in targets - {below})
    ]


def _ordered(graph: Graph, floors: Mapping[str, int]) -> list[list[str]]:
    """The rooms of each floor, the highest first; each near the middle of what it is joined to, a few times
    over, so that few lines cross."""
    rows = [sorted(r for r in floors if floors[r] == f) for f in range(max(floors.values()), -1, -1)]
    joined: dict[str, set[str]] = {room: set() for room in floors}
    for room, below in _essential(graph):
        joined[room].add(below)
        joined[below].add(room)
    for _ in range(12):
        for row in rows:
            x = {room: place[0] for room, place in _placed(rows)}
            row.sort(key=lambda room: (_mean([x[other] for other in joined[room]], x[room]), room))
    return rows


def _mean(values: Sequence[float], default: float) -> float:
    return round(sum(values) / len(values), 3) if values else default


def _width(rows: Sequence[Sequence[str]]) -> int:
    return 2 * _MARGIN + (_ROOM_W + _GAP) * max(len(row) for row in rows)


def _placed(rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, tuple[float, float]]]:
    """The middle of each room in px."""
    for i, row in enumerate(rows):
        step = (_width(rows) - 2 * _MARGIN) / len(row)
        for k, room in enumerate(row):
            yield room, (_MARGIN + step * (k + 0.5), _MARGIN + _FLOOR_H * (i + 0.5))


def _floors(rows: Sequence[Sequence[str]], width: int, height: int) -> Iterator[str]:
    for i in range(1, len(rows)):
        y = _MARGIN + _FLOOR_H * i
        yield f'<path d="M{_MARGIN} {y}H{width - _MARGIN}" stroke="#ddd6c8" stroke-dasharray="2 5"/>'
    yield f'<text x="{_MARGIN}" y="{height - 10}" fill="#7a7265" font-size="12">the ground</text>'


def _line(above: tuple[float, float], below: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = above, below
    y1, y2 = y1 + _ROOM_H / 2, y2 - _ROOM_H / 2
    bend = (y2 - y1) / 2
    curve = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"
    return f'<path d="{curve}" fill="none" stroke="#8fa3b8" stroke-width="1.2"/>'


def _room(room: str, x: float, y: float, *, low: bool) -> str:
    fill = "#e9e2d3" if low else "#dbe7f2"
    left, top = x - _ROOM_W / 2, y - _ROOM_H / 2
    return (
        f'<rect x="{left:.0f}" y="{top:.0f}" width="{_ROOM_W}" height="{_ROOM_H}" rx="6" fill="{fill}" '
        f'stroke="#51657a"/><text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" fill="#1f2a36">'
        f"{escape(room)}</text>"
    )
