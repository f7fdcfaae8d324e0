"""A whole benchmark on pictures made here: what is written can be computed again, and taken up again."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from haechi.bench import result as r
from haechi.bench.manifest import Manifest, read_manifest
from haechi.bench.metrics import auc
from haechi.bench.run import bench
from haechi.bench.scorer import CheckScorer, Scores
from haechi.bench.scores import read_scores, scores_bytes, scores_path
from haechi.bench.treatment import Treatment
from haechi.errors import UsageError
from haechi.types import U8

RESULTS = sorted((Path(__file__).parents[1] / "results").rglob("*.json"))


def striped(rgb: U8) -> Scores:
    """A forgery here is a picture with fine stripes. Abstains on dark pictures."""
    grey = rgb.astype(np.float64).mean(axis=2)
    if grey.mean() < 60:
        return {"verdict": None, "stripes": None, "level": "unknown"}
    stripes = float(np.abs(np.diff(grey, axis=1)).mean() - np.abs(np.diff(grey, axis=0)).mean())
    p = 1 / (1 + np.exp(-(stripes - 4)))
    return {"verdict": p, "stripes": stripes, "level": "strong" if p > 0.9 else "some" if p > 0.5 else "none"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 pictures of 12 groups, two sources, one kind; every eighth is too dark; one cannot be read."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    rows = [("path", "label", "source", "kind", "group")]
    for k in range(48):
        fake = k % 2 == 1
        base = rng.normal(140, 12, (6, 6)) * (0.2 if k % 8 == 7 else 1.0)
        rgb = cv2.resize(base, (64, 64), interpolation=cv2.INTER_CUBIC)
        rgb = rgb + (rng.normal(8, 4) * (np.arange(64) % 4 < 2) if fake else 0)
        cv2.imwrite(str(folder / f"{k}.png"), np.clip(rgb, 0, 255).astype(np.uint8))
        rows.append((f"{k}.png", "fake" if fake else "real", "ab"[k % 3 == 0], "stripe" * fake, f"g{k // 4}"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    rows.append(("broken.jpg", "real", "a", "", "g0"))
    with (folder / "made.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def manifest(made: Path) -> Manifest:
    return read_manifest(made / "made.csv")


@pytest.fixture(scope="module")
def measured(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "made.json"
    bench(
        manifest,
        out,
        striped,
        rungs=("clean", "jpeg40", "compound"),
        resamples=60,
        command="haechi bench made.csv",
    )
    return out


def test_figures_are_those_of_the_pictures(measured: Path, manifest: Manifest) -> None:
    found: dict[str, Any] = json.loads(measured.read_text())
    assert found["schema"] == r.SCHEMA
    assert (found["n_real"], found["n_fake"], found["n_groups"]) == (25, 24, 12)
    assert found["manifest"]["sha256"] == manifest.sha256
    clean = found["rungs"]["clean"]["overall"]
    rows = [(i.fake, striped(_pixels(i.path))["verdict"]) for i in manifest.items if i.path.suffix == ".png"]
    known = [(y, float(s)) for y, s in rows if s is not None]
    expected = auc([y for y, _ in known], [s for _, s in known])
    figure = clean["scores"]["verdict"]["auc"]
    assert figure["value"] == pytest.approx(expected, abs=1e-4)
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert clean["scores"]["verdict"]["abstention"]["value"] == pytest.approx(7 / 49, abs=1e-4)
    assert clean["unreadable"] == 1
    assert set(clean["levels"]["strong"]) == {"false_alarms", "found"}
    assert "ece" in clean["scores"]["verdict"]
    assert "ece" not in clean["scores"]["stripes"]
    assert set(found["rungs"]["jpeg40"]["by_source"]) == {"a", "b"}
    assert found["rungs"]["clean"]["by_kind"]["stripe"]["against"] == "all reals"
    assert found["code"]["version"]


def _pixels(path: Path) -> U8:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def test_results_carry_no_paths_and_no_names(measured: Path, made: Path) -> None:
    text = measured.read_text() + str(read_scores(scores_path(measured)))
    assert str(made.parent) not in text
    assert ".png" not in text
    assert "g0" not in text


def test_a_result_is_computed_again_from_its_scores(measured: Path) -> None:
    assert r.differences(measured) == []


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_every_shipped_result_is_computed_again(path: Path) -> None:
    found = json.loads(path.read_text(encoding="utf-8"))
    if found.get("schema") != r.SCHEMA:
        pytest.skip("no scores belong to it")
    assert r.differences(path, rungs=list(found["rungs"])[:2]) == []


def test_a_changed_figure_and_changed_scores_are_noticed(measured: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(measured, tmp_path))
    scores = Path(shutil.copy(scores_path(measured), tmp_path))
    found = json.loads(copy.read_text())
    found["rungs"]["clean"]["overall"]["scores"]["verdict"]["auc"]["value"] += 0.01
    r.write_json(copy, found)
    assert [d.split(":")[0] for d in r.differences(copy)] == ["rungs.clean.overall.scores.verdict.auc.value"]
    scores.write_bytes(scores_bytes(read_scores(scores)) + b"\0")
    assert any(d.startswith("scores:") for d in r.differences(copy))


def test_jobs_change_nothing(measured: Path, manifest: Manifest, tmp_path: Path) -> None:
    out = tmp_path / "again.json"
    bench(manifest, out, striped, rungs=("clean", "jpeg40", "compound"), resamples=60, jobs=2)
    assert scores_path(out).read_bytes() == scores_path(measured).read_bytes()


def test_a_stopped_run_goes_on(measured: Path, manifest: Manifest, tmp_path: Path) -> None:
    calls: list[int] = []
    out = tmp_path / "stopped.json"
    rungs = ("clean", "jpeg40", "compound")

    class Stopping:
        def __init__(self, last: int) -> None:
            self.last = last

        def __call__(self, rgb: U8) -> Scores:
            calls.append(1)
            if len(calls) > self.last:
                raise KeyboardInterrupt
            return striped(rgb)

    with pytest.raises(KeyboardInterrupt):
        bench(manifest, out, Stopping(31), rungs=rungs, resamples=60)
    assert not out.exists()
    partial = out.with_name("stopped.partial.jsonl")
    partial.write_text(partial.read_text() + '{"id": "cut sho')
    with pytest.raises(UsageError, match="another measurement"):
        bench(manifest, out, Stopping(10**6), rungs=("clean",), resamples=60)
    bench(manifest, out, Stopping(10**6), rungs=rungs, resamples=60)
    assert len(calls) == 32 + (48 - 10) * 3
    assert scores_path(out).read_bytes() == scores_path(measured).read_bytes()
    assert not partial.exists()


def test_reencoding_reaches_the_scorer_and_the_null_model(manifest: Manifest, tmp_path: Path) -> None:
    shapes = set()

    def look(rgb: U8) -> Scores:
        shapes.add(rgb.shape)
        return {"verdict": 0.5}

    readable = Manifest(manifest.name, manifest.sha256, manifest.items[:-1])
    found = bench(
        readable,
        tmp_path / "x.json",
        look,
        rungs=("clean",),
        treatment=Treatment(90, "square:48"),
        resamples=20,
    )
    assert shapes == {(48, 48, 3)}
    assert found["null"]["header"]["value"] == 0.5
    assert found["treatment"] == {"reencode": 90, "size": "square:48", "match": False}


def test_matching_drops_items_but_keeps_balance(manifest: Manifest, tmp_path: Path) -> None:
    found = bench(manifest, tmp_path / "x.json", striped, rungs=("clean",), match=True, resamples=20)
    assert found["n_real"] == found["n_fake"] > 0
    assert found["manifest"]["n"] == 49


def test_a_crash_of_the_scorer_is_no_score(manifest: Manifest, tmp_path: Path) -> None:
    def crash(rgb: U8) -> Scores:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        bench(manifest, tmp_path / "x.json", crash, rungs=("clean",))


def test_mistakes(manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="degradation"):
        bench(manifest, tmp_path / "x.json", striped, rungs=("cleen",))
    with pytest.raises(UsageError, match=r"\.json"):
        bench(manifest, tmp_path / "x.csv", striped)
    broken = Manifest(manifest.name, manifest.sha256, manifest.items[-1:])
    with pytest.raises(UsageError, match="nothing in the manifest could be read"):
        bench(broken, tmp_path / "x.json", striped, rungs=("clean",))
    with pytest.raises(UsageError, match="no stored scores"):
        read_scores(tmp_path / "none.scores.csv.gz")


def test_the_default_scorer_follows_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from haechi.settings import Settings
    from haechi.types import Evidence, Quality, Reason, Verdict

    class Report:
        verdict = Verdict("some", 0.7, (0.5, 0.8), ())
        quality = Quality(88.0, 0.1, None, ())
        evidence = (
            Evidence("swap", "1", "scored", 1.5, Reason("x")),
            Evidence("synthesis", "1", "abstained", None, Reason("x")),
        )

    seen: list[object] = []

    def check(source: object, settings: Settings, *, previews: bool) -> Any:
        seen.append(source)
        return Report()

    monkeypatch.setattr(importlib.import_module("haechi.check"), "check", check)
    scores = CheckScorer(Settings())(np.zeros((4, 4, 3), dtype=np.uint8))
    assert scores == {"verdict": 0.7, "level": "some", "swap": 1.5, "synthesis": None, "@face_px": 88.0}
    assert isinstance(seen[0], bytes)
    assert seen[0].startswith(b"\x89PNG")
