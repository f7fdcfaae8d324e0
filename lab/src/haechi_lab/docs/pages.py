"""The parts of the documentation that are written by the program.

In docs/*.md the text between

    <!-- reference:KIND WORD -->
    <!-- /reference -->

is made anew: ``options VERB``, ``settings``, ``server-settings``, ``names``, ``rooms``, ``sample`` and
``sample-json``. In a file named *.zh-CN.md the sample speaks Chinese. The drawing
docs/floors.svg is made from the imports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from haechi.errors import UsageError
from haechi_lab.docs import floors, reference, sample

_BLOCK = re.compile(r"(<!-- reference:([^\n]*?) -->\n)(.*?)(<!-- /reference -->)", re.DOTALL)
_OPENING = "<!-- reference:"
_MEASURED = ("sample", "sample-json")


def refresh(root: Path) -> list[Path]:
    """Write every part under ``root`` anew; the files that changed. Raises UsageError."""
    changed = [(file, new) for file, old, new in _files(root) if new != old]
    for file, new in changed:
        file.write_text(new, encoding="utf-8")
    return [file for file, _ in changed]


def stale(root: Path) -> list[Path]:
    """The files that do not say what the program says. The figures of the sample may differ: those of the
    networks are not the same to the last digit on every machine. Raises UsageError."""
    return [file for file, old, new in _files(root) if _comparable(new) != _comparable(old)]


def _files(root: Path) -> Iterator[tuple[Path, str, str]]:
    """What is made by the program: the file, what it holds, what it should hold."""
    for file in sorted((root / "docs").glob("*.md")):
        old = file.read_text(encoding="utf-8")
        if _OPENING not in old:
            continue
        if old.count(_OPENING) != len(_BLOCK.findall(old)):
            raise UsageError(f"{file.name}: a reference marker is not closed by <!-- /reference --> later on")
        lang = "zh" if file.name.endswith(".zh-CN.md") else "en"
        yield file, old, _BLOCK.sub(partial(_filled, root=root, lang=lang), old)
    drawing, source = root / "docs" / "floors.svg", root / "src" / "haechi"
    if source.is_dir():
        old = drawing.read_text(encoding="utf-8") if drawing.is_file() else ""
        yield drawing, old, floors.drawing(floors.imports(source))


def _filled(match: re.Match[str], root: Path, lang: str) -> str:
    opening, marker, _, closing = match.groups()
    return f"{opening}{_part(marker.split(), root, lang)}{closing}"


def _part(words: list[str], root: Path, lang: str) -> str:
    photograph = root / "samples" / "astronaut.jpg"
    makers: dict[str, Callable[..., str]] = {
        "options": reference.options,
        "settings": reference.settings,
        "server-settings": reference.server_settings,
        "names": reference.names,
        "rooms": partial(floors.table, root / "src" / "haechi"),
        "sample": partial(sample.text, photograph, lang),
        "sample-json": partial(sample.abridged, photograph),
    }
    kind, *arguments = words
    if kind not in makers:
        raise UsageError(f"there is no part of the program called {kind!r}; there are: {', '.join(makers)}")
    return makers[kind](*arguments)


def _comparable(text: str) -> str:
    """The text with every number inside a sample taken for the same."""

    def masked(match: re.Match[str]) -> str:
        opening, marker, body, closing = match.groups()
        alike = re.sub(r"\d+(\.\d+)?", "0", body) if marker.split()[0] in _MEASURED else body
        return f"{opening}{alike}{closing}"

    return _BLOCK.sub(masked, text)
