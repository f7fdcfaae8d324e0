"""The table and the plot of costs, and the command that has them measured."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from haechi.bench.result_tables import render
from haechi_lab.system import cost_table
from haechi_lab.system import doc_tables as t
from haechi_lab.system import speed as s
from haechi_lab.system.commands import speed as app


def row(role: str, name: str, pace: float) -> dict[str, Any]:
    spread = {"value": pace, "low": 0.9 * pace, "high": 1.1 * pace}
    return {
        "name": name, "role": role, "how": "onnxruntime, one by one", "faces_per_s": spread, "gflops": 2.6,
        "mb": 6.9, "times_anchor": pace / 0.07, "times_b4": pace / 18, "tried_s": {},
    }  # fmt: skip


def costs() -> dict[str, Any]:
    rows = [row("network", "swap, one view", 200), row("fast", "fast: swap, mirrored too", 100)]
    rows += [row("anchor", "anchor: <two & large>", 0.07)]
    return {"schema": cost_table.SCHEMA, "rows": [*rows, row("b4", "EfficientNet-B4, 380 px", 18)]}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "baselines.json").write_text(json.dumps(costs()))
    figure = {"swap": {"auc": {"value": 0.92, "low": 0.88, "high": 0.95}}}
    found = {"rungs": {"clean": {"overall": {"scores": figure}}}}
    (tmp_path / "results" / "dfdc.json").write_text(json.dumps(found))
    (tmp_path / "README.md").write_text("<!-- results:baselines -->\n<!-- /results -->\n")
    (tmp_path / "README.zh-CN.md").write_text("<!-- results:baselines -->\n<!-- /results -->\n")
    return tmp_path


def test_what_was_found_stands_beside_what_it_cost(house: Path) -> None:
    assert len(t.refresh(house)) == 3
    assert t.stale(house) == []
    text = (house / "README.md").read_text()
    assert "| fast: swap, mirrored too | onnxruntime, one by one | 100 (90 to 110) | 2.6 | 6.9 |" in text
    assert "| 0.920 (0.880 to 0.950) | 1,429 | 5.56 |" in text
    assert text.count("| – |") == 3, "an AUC belongs to whom it was measured of"
    assert (house / "README.zh-CN.md").read_text(encoding="utf-8").count("每秒人脸数") == 1


def test_a_new_figure_makes_plot_and_table_stale(house: Path) -> None:
    t.refresh(house)
    path = house / "results" / "dfdc.json"
    path.write_text(path.read_text().replace("0.92", "0.93"))
    assert [p.name for p in t.stale(house)] == ["README.md", "README.zh-CN.md", "cost.svg"]


def test_the_plot_is_whole_and_inside_its_frame(house: Path) -> None:
    text = cost_table.plot(cost_table.with_auc(costs(), house / "results"))
    tree = ET.fromstring(text)
    words = [e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"anchor", "EfficientNet-B4", "fast 0.920", "1 ms", "1 s"} <= set(words) | {
        "1 ms",
        "1 s",
    }
    (point,) = tree.iter("{http://www.w3.org/2000/svg}circle")
    assert cost_table.LEFT < float(point.get("cx", 0)) < cost_table.WIDTH - cost_table.RIGHT
    assert cost_table.TOP < float(point.get("cy", 0)) < cost_table.HEIGHT - cost_table.BOTTOM
    assert "prefers-color-scheme:dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_without_any_auc_there_is_still_a_plot(tmp_path: Path) -> None:
    assert "<circle" not in cost_table.plot(cost_table.with_auc(costs(), tmp_path))


def test_the_command_hands_over_to_the_lab(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], int]] = []
    monkeypatch.setattr(s, "_run", lambda arguments, cores: asked.append((arguments, cores)))
    out = house / "results" / "speed.json"
    done = CliRunner().invoke(app, ["--baselines", "--out", str(out), "--repeats", "7"])
    assert done.exit_code == 0, done.output
    words = [
        "-m",
        "haechi",
        "train",
        "baselines",
        "--out",
        str(out.with_name("baselines.json")),
        "--runs",
        "7",
    ]
    assert asked == [(words, 2)]
    assert "| fast: swap, mirrored too |" in done.stdout
    assert "0.920" in done.stdout
    assert not out.exists()
    table = render(cost_table.with_auc(costs(), out.parent), {})
    assert table.startswith("| network | run by |")
