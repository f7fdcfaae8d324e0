"""A result as a table in Markdown: the views that ``tables`` fills the documentation with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from haechi.bench.selective_risk import COVERAGES
from haechi.errors import UsageError

Cells: TypeAlias = Sequence[Sequence[str]]
"""The first row holds the headings."""

_ZH = {
    "set": "数据", "real": "真", "fake": "假", "AUC": "AUC", "EER": "等错误率", "abstained": "弃权",
    "found at 1% false alarms": "误报 1% 时检出", "found at 5% false alarms": "误报 5% 时检出",
    "loss, trained on": "损失：学过的图", "loss, same persons": "损失：同样的人",
    "loss, unseen persons": "损失：没见过的人", "lowest on unseen persons": "没见过的人：最低",
    "AUC, unseen persons": "AUC：没见过的人", "degradation": "退化", "overall": "总体", "what": "项目",
    "false alarms, strong": "误报（strong）", "false alarms, some": "误报（some 及以上）",
    "found, strong": "检出（strong）", "found, some": "检出（some 及以上）",
    "measured": "实测", "target": "目标",
    "confounder": "干扰因素", "correlation in reals": "真图中的相关", "AUC, matched": "匹配后的 AUC",
    "AUC of it alone": "仅凭它的 AUC",
    **{f"error at {c:.0%}": f"答 {c:.0%} 时的错误率" for c in COVERAGES}, "mean (AURC)": "平均（AURC）",
    "threshold": "界线", "persons": "人数", "pictures": "图片数", "rate": "误报率",
    "persons ever accused (by chance)": "曾被误报的人（若纯属偶然）",
    "mostly accused (by chance)": "多数图片被误报的人（若纯属偶然）",
    "worst tenth (by chance)": "误报最多的十分之一的人（若纯属偶然）",
    "ECE (by chance)": "ECE（校准完美时的偶然值）", "said": "所给概率", "was forged": "实为伪造",
    "detector": "检测器", "kind": "类别",
    "IoU of the map": "定位图 IoU", "IoU of an ellipse": "椭圆猜测 IoU", "gain": "提升",
    "variant": "变体", "left out": "排除的类别", "AUC on it": "对它的 AUC",
    "AUC of the full": "完整训练的 AUC", "difference": "差", "mean": "平均",
    "network": "网络", "run by": "运行方式", "faces a second": "每秒人脸数",
    "times the anchor": "相对锚点的倍数", "times EfficientNet-B4": "相对 EfficientNet-B4 的倍数",
}  # fmt: skip


def render(result: Mapping[str, Any], options: Mapping[str, str], lang: str = "en") -> str:
    """A result as a table in Markdown. ``options``: view, score, rungs, sets. Raises UsageError."""
    schema = str(result.get("schema", ""))
    view = options.get("view", "")
    if view == "rows" or schema.startswith(("haechi.speed/", "haechi.web-bench/")):
        cells = _rows(result)
    elif "table" in result or "tables" in result:
        table = result["table"] if "table" in result else _named(result["tables"], view)
        cells = [[str(c) for c in row] for row in (table["columns"], *table["rows"])]
    elif schema.startswith("haechi.bench/"):
        if view == "about":
            return _about(result)
        cells = _bench(result, view or "summary", options)
    elif schema.startswith("haechi.confounders/"):
        cells = _confounder(result, options.get("score", "verdict"))
    elif schema.startswith("haechi.ablation/"):
        cells = _held(result) if view == "held" else _ablation(result, options)
    else:
        raise UsageError(f"there is no table for a result of the schema {schema!r}")
    words = _ZH if lang == "zh" else {}
    rows = [[words.get(c, c) for c in cells[0]], *([words.get(r[0], r[0]), *r[1:]] for r in cells[1:])]
    lines = ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(cells[0]), *lines[1:]]) + "\n"


def _named(tables: Mapping[str, Any], view: str) -> Mapping[str, Any]:
    """One of several tables of a result. Raises UsageError when there is none of this name."""
    if view not in tables:
        raise UsageError(f"no view is called {view!r}; there is: {', '.join(tables)}")
    table: Mapping[str, Any] = tables[view]
    return table


def _rows(result: Mapping[str, Any]) -> Cells:
    """Single figures, each beside its target; of a result in parts, those of all."""
    parts = (
        {f"{name}: ": part for name, part in result["parts"].items()} if "parts" in result else {"": result}
    )
    figures = [[name + r["what"], r["shown"], r["bar"]] for name, part in parts.items() for r in part["rows"]]
    return [["what", "measured", "target"], *figures]


def _bench(result: Mapping[str, Any], view: str, options: Mapping[str, str]) -> Cells:
    if view not in _VIEWS:
        raise UsageError(f"no view is called {view!r}; there are: about, {', '.join(_VIEWS)}")
    score = options.get("score", "verdict")
    rungs = options["rungs"].split(",") if "rungs" in options else list(result["rungs"])
    for rung in rungs:
        if rung not in result["rungs"]:
            raise UsageError(f"the result has no rung {rung!r}; it has: {', '.join(result['rungs'])}")
    scores = result["rungs"][rungs[0]]["overall"]["scores"]
    if score not in scores:
        raise UsageError(f"the result has no score {score!r}; it has: {', '.join(scores)}")
    return _VIEWS[view](result, score, rungs)


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


def _block(result: Mapping[str, Any], rung: str, name: str) -> Mapping[str, Any]:
    """A block of ``questions``. A result without it was written before that was asked."""
    if name not in result["rungs"][rung]:
        why = "no mask was given" if name == "localisation" else "renew it with: haechi bench again"
        raise UsageError(f"the result has no figures of {name!r}; {why}")
    block: Mapping[str, Any] = result["rungs"][rung][name]
    return block


def _risk(result: Mapping[str, Any], score: str, rungs: Sequence[str]) -> Cells:
    names = [f"risk_at_{c:g}" for c in COVERAGES]
    rows = []
    for rung in rungs:
        f = _block(result, rung, "risk").get(score, {})
        rows.append([rung, *(_percent(f.get(n)) for n in names), _value(f.get("aurc"))])
    return [["degradation", *(f"error at {c:.0%}" for c in COVERAGES), "mean (AURC)"], *rows]


def _persons(result: Mapping[str, Any], score: str, rungs: Sequence[str]) -> Cells:
    rows = []
    for rung in rungs:
        marks = _block(result, rung, "persons")["marks"]
        for mark in ("strong", "some", f"{score} at 5%"):
            f = marks.get(mark)
            if f is None:
                continue
            parts = [_beside(f[k]) for k in ("any", "most", "worst_tenth")]
            parts[-1] += f", p {f['worst_tenth']['p']:.2g}"
            rows.append(
                [f"{mark}, {rung}", str(f["n_persons"]), str(f["n_pictures"]), f"{f['rate']:.1%}", *parts]
            )
    heads = [f"{w} (by chance)" for w in ("persons ever accused", "mostly accused", "worst tenth")]
    return [["threshold", "persons", "pictures", "rate", *heads], *rows]


def _beside(figure: Mapping[str, float]) -> str:
    """20.6% (14.7%, 8.3 to 25.0): the figure, and what chance alone makes of it."""
    value, chance, low, high = (100 * figure[k] for k in ("value", "chance", "low", "high"))
    return f"{value:.1f}% ({chance:.1f}%, {low:.1f} to {high:.1f})"


def _calibration(result: Mapping[str, Any], score: str, rungs: Sequence[str]) -> Cells:
    columns: dict[str, None] = {}
    rows = []
    for rung in rungs:
        block = _block(result, rung, "calibration").get(score, {"by_face": []})
        bins = {_face_bin(b): _against(b["ece"], b["ece_by_chance"]) for b in block["by_face"]}
        columns |= dict.fromkeys(bins)
        whole = result["rungs"][rung]["overall"]["scores"][score].get("ece")
        rows.append((rung, _against(whole, block.get("ece_by_chance")), bins))
    cells = [[rung, whole, *(bins.get(c, "–") for c in columns)] for rung, whole, bins in rows]
    return [["degradation", "ECE (by chance)", *columns], *cells]


def _against(figure: Mapping[str, Any] | None, chance: float | None) -> str:
    """0.093 (0.066 to 0.137); 0.041: the figure, and what perfect calibration would show by chance."""
    return "–" if chance is None else f"{_value(figure)}; {chance:.3f}"


def _face_bin(part: Mapping[str, Any]) -> str:
    low, below = part["from_px"], part["below_px"]
    return f">= {low:g} px" if below is None else f"{low:g}–{below:g} px" if low else f"< {below:g} px"


def _reliability(result: Mapping[str, Any], score: str, rungs: Sequence[str]) -> Cells:
    bins = _block(result, rungs[0], "calibration").get(score, {"bins": []})["bins"]
    return [
        ["said", "was forged", "pictures"],
        *([f"{b['said']:.1%}", _percent(b["was"]), str(b["n"])] for b in bins),
    ]


def _localisation(result: Mapping[str, Any], _score: str, rungs: Sequence[str]) -> Cells:
    rows = []
    for rung in rungs:
        for kind, detectors in _block(result, rung, "localisation").items():
            for detector, f in detectors.items():
                label = kind if len(rungs) == 1 else f"{kind}, {rung}"
                figures = [_value(f[k]) for k in ("iou", "ellipse", "gain")]
                rows.append([label, detector, str(f["n"]), *figures])
    return [["kind", "detector", "pictures", "IoU of the map", "IoU of an ellipse", "gain"], *rows]


_VIEWS: Mapping[str, Callable[[Mapping[str, Any], str, Sequence[str]], Cells]] = {
    "summary": _summary, "ladder": _ladder, "levels": _levels, "risk": _risk, "persons": _persons,
    "calibration": _calibration, "reliability": _reliability, "localisation": _localisation,
}  # fmt: skip


def _ablation(result: Mapping[str, Any], options: Mapping[str, str]) -> Cells:
    names = list(dict.fromkeys(s for v in result["variants"] for s in v["sets"]))
    sets = options["sets"].split(",") if "sets" in options else names
    for name in sets:
        if name not in names:
            raise UsageError(f"the ablation has no set {name!r}; it has: {', '.join(names)}")
    rows = [[v["variant"], *(_changed(v["sets"].get(s)) for s in sets)] for v in result["variants"]]
    return [["variant", *sets], *rows]


def _changed(part: Mapping[str, Any] | None) -> str:
    """0.871 (0.820 to 0.924); -0.018 (-0.031 to -0.004): the AUC, then its distance from the full variant."""
    if part is None:
        return "–"
    difference = part.get("difference")
    return _value(part["auc"]) + (f"; {_signed(difference)}" if difference else "")


def _signed(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{figure['value']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f})"


def _held(result: Mapping[str, Any]) -> Cells:
    block = result["held"]
    rows = [
        [h["kind"], _value(h["auc"]), _value(h["full"]), _signed(h["difference"])] for h in block["kinds"]
    ]
    if rows:
        rows.append(["mean", _value(block["mean"]), _value(block["mean_full"]), _signed(block["difference"])])
    return [["left out", "AUC on it", "AUC of the full", "difference"], *rows]


def _confounder(result: Mapping[str, Any], score: str) -> Cells:
    if score not in result["scores"]:
        raise UsageError(f"the result has no score {score!r}; it has: {', '.join(result['scores'])}")
    rows = [
        [name, _value(f["correlation_in_reals"], 2), _value(f["auc_matched"]), _value(f["auc_of_confounder"])]
        for name, f in result["scores"][score]["by"].items()
    ]
    return [["confounder", "correlation in reals", "AUC, matched", "AUC of it alone"], *rows]


def _about(result: Mapping[str, Any]) -> str:
    null = result["null"]
    models = ", ".join(f"{m['name']} {m['version']} ({m['sha256'][:8]})" for m in result["models"]) or "–"
    lines = [
        f"`{result['command']}`" if result["command"] else "",
        f"{result['n_real']} real, {result['n_fake']} fake, {result['n_groups']} groups; "
        f"measured on {result['created'][:10]}.",
        f"Models: {models}.",
        f"Metadata baseline: AUC {_value(null['all'])}; without file size {_value(null['header'])}.",
    ]
    return "\n".join(f"- {line}" for line in lines if line) + "\n"
