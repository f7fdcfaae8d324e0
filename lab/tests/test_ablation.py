"""Variants beside the full one: paired, on the items that both saw, and on the kind that one never met."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from haechi.bench.metrics import auc
from haechi.bench.result import write_result
from haechi.bench.result_tables import render
from haechi.bench.scores import Scored
from haechi.errors import UsageError
from haechi_lab.system.ablation import ablation
from haechi_lab.system.commands import ablation as app

N = 400
FAKE = np.arange(N) % 2 == 1
KIND = np.where(np.arange(N) < 200, "self_blend", "gan")
#: What makes a person's pictures easy or hard, the same for every variant.
PERSON = np.random.default_rng(0).normal(0, 1.5, N // 8)[np.arange(N) // 8]


def variant(folder: Path, name: str, note: str, lost: str = "", ids: int = 0) -> Path:
    """A result in which forgeries of the kind ``lost`` are found no longer."""
    rng = np.random.default_rng(5)
    strength = np.array([0.3 if k == lost else 2.0 for k in KIND])
    score = PERSON * FAKE + strength * FAKE + rng.normal(size=N)
    scored = Scored(
        ids=tuple(str(k + ids) for k in range(N)),
        fake=FAKE,
        sources=tuple(f"pairs-{k}" for k in KIND),
        kinds=tuple(k if f else "" for k, f in zip(KIND, FAKE, strict=True)),
        groups=tuple(str(k // 8) for k in range(N)),
        rungs=("clean",),
        names=("swap",),
        values={("clean", "swap"): score},
        ran={"clean": np.ones(N, dtype=bool)},
        levels={"clean": ("",) * N},
    )
    about = {"command": "haechi bench x.csv", "note": note, "manifest": {"sha256": "0"}}
    write_result(folder / f"{name}.json", about, scored, resamples=20)
    return folder / f"{name}.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "ablation"
    variant(out, "a", "without self_blend", "self_blend")
    variant(out, "b", "full")
    variant(out, "c", "without gan", "gan")
    variant(out, "d", "without the noise stream")
    return out


def test_differences_are_paired(folder: Path) -> None:
    found = ablation(folder, resamples=200)
    assert [v["variant"] for v in found["variants"]] == [
        "full", "without self_blend", "without gan", "without the noise stream",
    ]  # fmt: skip
    full, less, _, same = (v["sets"] for v in found["variants"])
    assert set(full) == {"all", "pairs-self_blend", "pairs-gan"}
    assert "difference" not in full["all"]
    assert same["all"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    lost = less["pairs-self_blend"]
    assert lost["difference"]["high"] < 0
    assert less["pairs-gan"]["difference"]["value"] == 0.0
    # Persons weigh heavily in both, so the pair is far surer than either alone.
    assert lost["difference"]["high"] - lost["difference"]["low"] < lost["auc"]["high"] - lost["auc"]["low"]
    assert lost["n_real"] == lost["n_fake"] == 100


def test_what_was_left_out_is_what_it_is_judged_on(folder: Path) -> None:
    held = ablation(folder, resamples=100)["held"]
    assert [h["kind"] for h in held["kinds"]] == ["self_blend", "gan"]
    means = np.mean([h["auc"]["value"] for h in held["kinds"]])
    assert held["mean"]["value"] == pytest.approx(means, abs=1e-4)
    assert held["difference"]["high"] < 0
    assert held["mean"]["low"] <= held["mean"]["value"] <= held["mean"]["high"]
    scores = (
        PERSON * FAKE + np.where(KIND == "gan", 0.3, 2.0) * FAKE + np.random.default_rng(5).normal(size=N)
    )
    own = KIND == "gan"
    assert held["kinds"][1]["auc"]["value"] == pytest.approx(auc(FAKE[own], scores[own]), abs=1e-4)


def test_tables_of_an_ablation(folder: Path) -> None:
    found = ablation(folder, resamples=30)
    text = render(found, {"sets": "pairs-gan,all"})
    assert text.startswith("| variant | pairs-gan | all |\n")
    assert "| without the noise stream | 0." in text
    assert "+0.000 (+0.000 to +0.000)" in text
    assert render(found, {"view": "held"}, "zh").startswith("| 排除的类别 |")
    assert "| mean | 0." in render(found, {"view": "held"})
    with pytest.raises(UsageError, match="has no set 'x'; it has: all"):
        render(found, {"sets": "x"})


def test_the_verb(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    done = CliRunner().invoke(app, ["ablation"])
    assert done.exit_code == 0, done.output
    assert "| left out |" in done.stdout
    found = json.loads((folder.parent / "ablation.json").read_text())
    assert found["schema"] == "haechi.ablation/1"
    assert found["command"] == "haechi bench ablation ablation --score swap --rung clean --full full"


def test_mistakes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no result has the note 'all of it' .*'full'"):
        ablation(folder, full="all of it")
    with pytest.raises(UsageError, match="has no score 'synthesis'"):
        ablation(folder, score="synthesis")
    with pytest.raises(UsageError, match="there is no result"):
        ablation(tmp_path / "none")
    variant(folder, "e", "of other pictures", ids=7)
    with pytest.raises(UsageError, match=r"e\.json was not measured on the items of b\.json"):
        ablation(folder)


def test_several_kinds_left_out_together_are_each_judged(tmp_path: Path) -> None:
    variant(tmp_path, "full", "full")
    variant(tmp_path, "half", "without self_blend, gan", "gan")
    held = ablation(tmp_path, resamples=50)["held"]
    assert [k["kind"] for k in held["kinds"]] == ["self_blend", "gan"]
    lost = {k["kind"]: k["difference"]["value"] for k in held["kinds"]}
    assert lost["gan"] < -0.1
    assert abs(lost["self_blend"]) < 0.05
