"""Tables in the documentation are those of the results; and the experiments on confounders behind some."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from haechi import models
from haechi.bench.metrics import auc
from haechi.bench.result import write_json, write_result
from haechi.bench.scores import Scored
from haechi.errors import UsageError
from haechi.settings import Settings
from haechi_lab.evaluate import confounders as n
from haechi_lab.system import doc_tables as t
from haechi_lab.system.commands import tables

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    fake = np.arange(60) % 2 == 1
    values = {("clean", "verdict"): np.clip(rng.normal(0.4 + 0.3 * fake, 0.2), 0, 1)}
    scored = Scored(
        ids=tuple(map(str, range(60))),
        fake=fake,
        sources=("a|b",) * 30 + ("c",) * 30,
        kinds=tuple("gan" if f else "" for f in fake),
        groups=tuple(str(k // 3) for k in range(60)),
        rungs=("clean",),
        names=("verdict",),
        values=values,
        ran={"clean": np.ones(60, dtype=bool)},
        levels={"clean": tuple("some" if v > 0.5 else "none" for v in values["clean", "verdict"])},
    )
    about = {"command": "haechi bench x.csv", "created": "2026-01-02T03:04:05+00:00", "models": []}
    null = {"all": {"value": 0.5, "low": 0.4, "high": 0.6}, "header": {"value": 0.5, "low": 0.5, "high": 0.5}}
    write_result(tmp_path / "results" / "val.json", {**about, "null": null}, scored, resamples=50)
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "README.zh-CN.md", "docs/more.md"):
        (tmp_path / name).write_text(
            "# x\n\n<!-- results:val -->\n<!-- /results -->\nafter\n", encoding="utf-8"
        )
    return tmp_path


def test_tables_of_this_project_are_up_to_date() -> None:
    assert [str(p.relative_to(ROOT)) for p in t.stale(ROOT)] == [], "run: haechi bench tables"


def test_a_result_of_another_network_says_so(house: Path) -> None:
    file = house / "results" / "val.json"
    result = json.loads(file.read_text())
    for sha256, said in (("0" * 64, True), (models.card("swap", Settings(models_dir="")).sha256, False)):
        file.write_text(
            json.dumps({**result, "models": [{"name": "swap", "version": "0.0.1", "sha256": sha256}]})
        )
        t.refresh(house)
        assert ("Measured with the face network 0.0.1" in (house / "docs" / "more.md").read_text()) is said
        assert ("人脸网络 0.0.1" in (house / "README.zh-CN.md").read_text()) is said


def test_refresh_then_nothing_is_stale(house: Path) -> None:
    assert len(t.stale(house)) == 3
    assert len(t.refresh(house)) == 3
    assert t.refresh(house) == t.stale(house) == []
    text = (house / "README.md").read_text(encoding="utf-8")
    assert "| overall | 30 | 30 | 0." in text
    assert "| a\\|b | 15 | 15 |" in text
    assert text.endswith("<!-- /results -->\nafter\n")
    assert "| 数据 | 真 | 假 |" in (house / "README.zh-CN.md").read_text(encoding="utf-8")


def test_a_new_result_makes_the_docs_stale(house: Path) -> None:
    t.refresh(house)
    path = house / "results" / "val.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["rungs"]["clean"]["overall"]["scores"]["verdict"]["auc"]["value"] = 0.999
    write_json(path, found)
    assert len(t.stale(house)) == 3


@pytest.mark.parametrize("view", ["summary", "ladder", "levels", "about"])
def test_every_view(house: Path, view: str) -> None:
    found = json.loads((house / "results" / "val.json").read_text(encoding="utf-8"))
    text = t.render(found, {"view": view})
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1
    assert "None" not in text


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("results:none", r"results/none.json is not there"),
        ("results:val view=x", r"no view is called 'x'"),
        ("results:val score=x", r"no score 'x'; it has: verdict"),
        ("results:val rungs=x", r"no rung 'x'; it has: clean"),
        ("results:val view", r"marker cannot be read"),
    ],
)
def test_wrong_markers_are_named(house: Path, marker: str, said: str) -> None:
    (house / "README.md").write_text(f"<!-- {marker} -->\n<!-- /results -->\n", encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        t.stale(house)


def test_an_open_marker_is_named(house: Path) -> None:
    (house / "README.md").write_text("<!-- results:val -->\n", encoding="utf-8")
    with pytest.raises(UsageError, match="not closed"):
        t.stale(house)


def test_any_table_and_speed(house: Path) -> None:
    assert (
        t.render({"table": {"columns": ["a", "b"], "rows": [[1, 2.5]]}}, {})
        == "| a | b |\n| --- | --- |\n| 1 | 2.5 |\n"
    )
    speed = {"schema": "haechi.speed/1", "rows": [{"what": "w", "shown": "1.00 s", "bar": "<= 2 s"}]}
    assert "| w | 1.00 s | <= 2 s |" in t.render(speed, {})
    with pytest.raises(UsageError, match="schema"):
        t.render({"schema": "other/1"}, {})


def confounded(leak: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
    """Fakes are blurrier; the score is half forgery, and follows sharpness as much as told."""
    rng = np.random.default_rng(0)
    fake = np.arange(2000) % 2 == 1
    sharpness = rng.normal(0, 1, 2000) - 1.0 * fake
    return fake, rng.normal(0, 1, 2000) + fake - leak * sharpness, sharpness, list(np.arange(2000) // 4)


def test_confounder_report_tells_an_honest_score_from_a_blur_meter() -> None:
    fake, honest, sharpness, groups = confounded(0.0)
    _, meter, _, _ = confounded(3.0)
    report = n.confounder_report(
        fake, {"honest": honest, "meter": meter}, {"sharpness": sharpness}, groups, resamples=50
    )
    good, bad = (report["scores"][k]["by"]["sharpness"] for k in ("honest", "meter"))
    assert abs(good["correlation_in_reals"]["value"]) < 0.1
    assert bad["correlation_in_reals"]["value"] < -0.8
    assert good["auc_matched"]["value"] == pytest.approx(0.76, abs=0.03)
    assert bad["auc_matched"]["value"] < report["scores"]["meter"]["auc"]["value"] - 0.05
    assert bad["auc_of_confounder"]["value"] < 0.3
    assert "| sharpness |" in t.render(report, {"score": "honest"})


def test_matched_auc_counts_pairs_within_bins() -> None:
    labels, by = [1, 0, 1, 0, 1, 0], [0, 0, 5, 5, 5, 5]
    scores = [1.0, 2.0, 3.0, 1.0, 2.0, 1.5]
    # bin of 0: 0 of 1 pair in order; bin of 5: 4 of 4.
    once = np.ones((1, 6))
    assert n.matched_auc_statistic(labels, scores, by, bins=2)(once) == pytest.approx([4 / 5])
    assert n.matched_auc_statistic(labels, scores, np.zeros(6), bins=1)(once) == [auc(labels, scores)]
    assert np.isnan(n.matched_auc_statistic([1, 1], [0.1, 0.2], [0, 0])(np.ones((1, 2))))


def test_the_command_writes_and_checks(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(house)
    runner = CliRunner()
    old = runner.invoke(tables, ["--check"])
    assert old.exit_code == 1
    assert "out of date: README.md" in old.stdout
    assert "written: README.md" in runner.invoke(tables).stdout
    assert runner.invoke(tables, ["--check"]).exit_code == 0
