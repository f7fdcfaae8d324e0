"""Tables in the documentation, written by the results themselves.

In README*.md and docs/*.md the text between

    <!-- results:NAME view=VIEW score=SCORE -->
    <!-- /results -->

is made from results/NAME.json (``headline``: the five figures of the README, from several). Views of a
benchmark: ``summary`` (the default: overall, each source, each kind), ``ladder`` (each rung), ``levels``
(false alarms and finds at the shipped thresholds, each rung), ``risk`` (error against coverage), ``persons``
(false alarms by person), ``calibration`` (ECE by rung and face size), ``reliability`` (what was said, what
was the case), ``localisation`` (overlap of the maps with the masks), ``about`` (what was run). ``score`` is
``verdict`` unless told; ``rungs=clean,jpeg40`` chooses some.
Of haechi.ablation/1 there is ``held``, the families left out, beside its whole table, of which ``sets=a,b``
chooses columns. haechi.confounders/1, haechi.speed/1, haechi.web-bench/1, haechi.baselines/1 and any that
carries ``table: {columns, rows}`` have one view; ``rows`` shows the single figures of a result that holds
both. Where a result names models and the face network among them is not the one that ships, a line says so.
In a file named *.zh-CN.md the headings are Chinese. The same command draws docs/cost.svg from
results/baselines.json, when that is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from haechi import models
from haechi.bench.result_tables import render
from haechi.errors import UsageError
from haechi.settings import Settings
from haechi_lab.system import cost_table, headline

_BLOCK = re.compile(r"(<!-- results:([^\n]*?) -->\n)(.*?)(<!-- /results -->)", re.DOTALL)
_OPENING = re.compile(r"<!-- results:")


def refresh(root: Path) -> list[Path]:
    """Write every table under ``root`` anew; the files that changed. Raises UsageError."""
    changed = []
    for file, old, new in _pages(root):
        if new != old:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(new, encoding="utf-8")
            changed.append(file)
    return changed


def stale(root: Path) -> list[Path]:
    """The files whose tables are not those of the results. Raises UsageError on a marker without result."""
    return [file for file, old, new in _pages(root) if new != old]


def _load(path: Path) -> Any:
    result = json.loads(path.read_text(encoding="utf-8"))
    # Costs and finds are measured on different days: what was found is looked up, so that it is never old.
    return cost_table.with_auc(result, path.parent) if result.get("schema") == cost_table.SCHEMA else result


def _of_another(result: Mapping[str, Any], lang: str) -> str:
    """A line where a result was measured with another face network than ships, else nothing."""
    shipped = models.card("swap", Settings(models_dir=""))
    for used in result.get("models") or ():
        if used["name"] == "swap" and used["sha256"] != shipped.sha256:
            return _OF_ANOTHER[lang].format(used["version"], shipped.version) + "\n\n"
    return ""


_OF_ANOTHER = {
    "en": "*Measured with the face network {}; {} ships.*",
    "zh": "*此表以人脸网络 {} 测得；现随附的是 {}。*",
}


def _pages(root: Path) -> Iterator[tuple[Path, str, str]]:
    """What is made from results: the file, what it holds, what it should hold."""
    yield from _texts(root)
    costs, drawing = root / "results" / "baselines.json", root / "docs" / "cost.svg"
    if costs.is_file():
        old = drawing.read_text(encoding="utf-8") if drawing.is_file() else ""
        yield drawing, old, cost_table.plot(_load(costs))


def _texts(root: Path) -> Iterator[tuple[Path, str, str]]:
    for file in sorted([*root.glob("README*.md"), *root.glob("docs/**/*.md")]):
        old = file.read_text(encoding="utf-8")
        if len(_OPENING.findall(old)) != len(_BLOCK.findall(old)):
            raise UsageError(
                f"{file.name}: a results marker is not closed by <!-- /results --> on a later line"
            )
        lang = "zh" if file.name.endswith(".zh-CN.md") else "en"

        def fill(match: re.Match[str], file: Path = file, lang: str = lang) -> str:
            opening, marker, _, closing = match.groups()
            name, *words = marker.split()
            path = root / "results" / f"{name}.json"
            try:
                if name == headline.NAME:
                    return f"{opening}{headline.table(path.parent, lang)}{closing}"
                result = _load(path)
                options = dict(word.split("=", 1) for word in words)
                return f"{opening}{_of_another(result, lang)}{render(result, options, lang)}{closing}"
            except (OSError, ValueError, KeyError) as error:
                why = "is not there" if isinstance(error, OSError) else "or its marker cannot be read"
                raise UsageError(f"{file.name}: results/{name}.json {why}") from error
            except UsageError as error:
                raise UsageError(f"{file.name}, {marker}: {error.message}") from error

        yield file, old, _BLOCK.sub(fill, old)
