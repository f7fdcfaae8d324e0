"""Tables in the documentation, written by the results themselves.

In README*.md and docs/*.md the text between

    <!-- results:NAME view=VIEW score=SCORE -->
    <!-- /results -->

is made from results/NAME.json. Views of a benchmark: ``summary`` (the default: overall, each source, each
kind), ``ladder`` (each rung), ``levels`` (false alarms and finds at the shipped thresholds, each rung),
``about`` (what was run). ``score`` is ``verdict`` unless told; ``rungs=clean,jpeg40`` chooses some. Results
of haechi.nuisance/1, haechi.speed/1, and any that carries ``table: {columns, rows}`` have one view.
In a file named *.zh-CN.md the headings are Chinese.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from haechi.errors import UsageError

Cells: TypeAlias = Sequence[Sequence[str]]
"""The first row holds the headings."""

_BLOCK = re.compile(r"(<!-- results:([^\n]*?) -->\n)(.*?)(<!-- /results -->)", re.DOTALL)
_OPENING = re.compile(r"<!-- results:")
_ZH = {
    "set": "数据", "real": "真", "fake": "假", "AUC": "AUC", "EER": "等错误率", "abstained": "弃权",
    "found at 1% false alarms": "误报 1% 时检出", "found at 5% false alarms": "误报 5% 时检出",
    "degradation": "退化", "overall": "总体", "what": "项目",
    "false alarms, strong": "误报（strong）", "false alarms, some": "误报（some 及以上）",
    "found, strong": "检出（strong）", "found, some": "检出（some 及以上）",
    "measured": "实测", "bar": "目标",
    "nuisance": "干扰因素", "correlation in reals": "真图中的相关", "AUC, matched": "匹配后的 AUC",
    "AUC of it alone": "仅凭它的 AUC",
}  # fmt: skip


def refresh(root: Path) -> list[Path]:
    """Write every table under ``root`` anew; the files that changed. Raises UsageError."""
    changed = []
    for file, old, new in _pages(root):
        if new != old:
            file.write_text(new, encoding="utf-8")
            changed.append(file)
    return changed


def stale(root: Path) -> list[Path]:
    """The files whose tables are not those of the results. Raises UsageError on a marker without result."""
    return [file for file, old, new in _pages(root) if new != old]


def render(result: Mapping[str, Any], options: Mapping[str, str], lang: str = "en") -> str:
    """A result as a table in Markdown. ``options``: view, score, rungs."""
    schema = str(result.get("schema", ""))
    if "table" in result:
        table = result["table"]
        cells: Cells = [[str(c) for c in row] for row in (table["columns"], *table["rows"])]
    elif schema.startswith("haechi.bench/"):
        view = options.get("view", "summary")
        if view == "about":
            return _about(result)
        views = {"summary": _summary, "ladder": _ladder, "levels": _levels}
        if view not in views:
            raise UsageError(f"no view is called {view!r}; there are: about, {', '.join(views)}")
        score = options.get("score", "verdict")
        rungs = options["rungs"].split(",") if "rungs" in options else list(result["rungs"])
        for rung in rungs:
            if rung not in result["rungs"]:
                raise UsageError(f"the result has no rung {rung!r}; it has: {', '.join(result['rungs'])}")
        known = result["rungs"][rungs[0]]["overall"]["scores"]
        if score not in known:
            raise UsageError(f"the result has no score {score!r}; it has: {', '.join(known)}")
        cells = views[view](result, score, rungs)
    elif schema.startswith("haechi.nuisance/"):
        cells = _nuisance(result, options.get("score", "verdict"))
    elif schema.startswith("haechi.speed/"):
        bars = [[r["what"], r["shown"], r["bar"]] for r in result["rows"]]
        cells = [["what", "measured", "bar"], *bars]
    else:
        raise UsageError(f"there is no table for a result of the schema {schema!r}")
    words = _ZH if lang == "zh" else {}
    named = [[words.get(c, c) for c in cells[0]], *([words.get(r[0], r[0]), *r[1:]] for r in cells[1:])]
    lines = ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in named]
    return "\n".join([lines[0], "|" + " --- |" * len(cells[0]), *lines[1:]]) + "\n"


def _pages(root: Path) -> Iterator[tuple[Path, str, str]]:
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
                result = json.loads(path.read_text(encoding="utf-8"))
                options = dict(word.split("=", 1) for word in words)
                return f"{opening}{render(result, options, lang)}{closing}"
            except (OSError, ValueError) as error:
                why = "is not there" if isinstance(error, OSError) else "or its marker cannot be read"
                raise UsageError(f"{file.name}: results/{name}.json {why}") from error
            except UsageError as error:
                raise UsageError(f"{file.name}, {marker}: {error.message}") from error

        yield file, old, _BLOCK.sub(fill, old)


def _value(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """0.912 (0.890 to 0.931), or a dash."""
    if not figure or figure["value"] is None:
        return "–"
    low, high = figure["low"], figure["high"]
    return f"{figure['value']:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _percent(figure: Mapping[str, Any] | None) -> str:
    if not figure or figure["value"] is None:
        return "–"
    return f"{100 * figure['value']:.1f}% ({100 * figure['low']:.1f} to {100 * figure['high']:.1f})"


def _ranked(block: Mapping[str, Any], score: str) -> list[str]:
    f = block["scores"][score]
    return [
        _value(f.get("auc")),
        _percent(f.get("eer")),
        _percent(f.get("tpr_at_fpr_0.01")),
        _percent(f.get("tpr_at_fpr_0.05")),
        _percent(f.get("abstention")),
    ]


_RANKED = ["AUC", "EER", "found at 1% false alarms", "found at 5% false alarms", "abstained"]


def _summary(result: Mapping[str, Any], score: str, rungs: Sequence[str]) -> Cells:
    first = result["rungs"][rungs[0]]
    blocks = {"overall": first["overall"], **first["by_source"]}
    for name, block in first["by_kind"].items():
        blocks[name if name not in blocks else f"{name} (kind)"] = block
    rows = []
    for name, block in blocks.items():
        against = block.get("against", "itself")
        label = name if against == "itself" else f"{name} against {against}"
        rows.append([label, str(block["n_real"]), str(block["n_fake"]), *_ranked(block, score)])
    return [["set", "real", "fake", *_RANKED], *rows]


def _ladder(result: Mapping[str, Any], score: str, rungs: Sequence[str]) -> Cells:
    return [["degradation", *_RANKED], *([r, *_ranked(result["rungs"][r]["overall"], score)] for r in rungs)]


def _levels(result: Mapping[str, Any], _score: str, rungs: Sequence[str]) -> Cells:
    columns = [(side, level) for side in ("false_alarms", "found") for level in ("strong", "some")]
    rows = []
    for rung in rungs:
        levels = result["rungs"][rung]["overall"]["levels"]
        rows.append([rung, *(_percent(levels.get(level, {}).get(side)) for side, level in columns)])
    return [["degradation", *(f"{side.replace('_', ' ')}, {level}" for side, level in columns)], *rows]


def _nuisance(result: Mapping[str, Any], score: str) -> Cells:
    if score not in result["scores"]:
        raise UsageError(f"the result has no score {score!r}; it has: {', '.join(result['scores'])}")
    rows = [
        [name, _value(f["correlation_in_reals"], 2), _value(f["auc_matched"]), _value(f["auc_of_nuisance"])]
        for name, f in result["scores"][score]["by"].items()
    ]
    return [["nuisance", "correlation in reals", "AUC, matched", "AUC of it alone"], *rows]


def _about(result: Mapping[str, Any]) -> str:
    null = result["null"]
    models = ", ".join(f"{m['name']} {m['version']} ({m['sha256'][:8]})" for m in result["models"]) or "–"
    lines = [
        f"`{result['command']}`" if result["command"] else "",
        f"{result['n_real']} real, {result['n_fake']} fake, {result['n_groups']} groups; "
        f"measured on {result['created'][:10]}.",
        f"Models: {models}.",
        f"Null model: AUC {_value(null['all'])}; without file size {_value(null['header'])}.",
    ]
    return "\n".join(f"- {line}" for line in lines if line) + "\n"
