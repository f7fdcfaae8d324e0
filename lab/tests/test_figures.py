"""The classroom: its experiment runs and is repeatable, its pictures come out of next to nothing, and what
cannot be made is told and leaves no half-made file."""

from __future__ import annotations

import csv
import gzip
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from typer.testing import CliRunner

from haechi.bench.result_tables import render
from haechi.errors import ExitCode, UsageError
from haechi.settings import Settings
from haechi_lab.cli import app
from haechi_lab.figures import detector_views as looking
from haechi_lab.figures import overfitting as lesson
from haechi_lab.figures.charts import Line, Mark, chart
from haechi_lab.figures.contact_sheet import Subject
from haechi_lab.figures.forgeries import spectrum
from haechi_lab.figures.make import CHARTS, SHEETS, make
from haechi_lab.figures.sheets import GAP_PX, sheet
from haechi_lab.figures.sources import Stage
from haechi_lab.networks.autoencoder import AutoEncoder
from haechi_lab.networks.streams import srm_bank
from meshes import SIDE, face, mesh
from synthetic import texture

PERSONS, EACH = 9, 3


def prepared(out: Path) -> None:
    """What ``lab.prepare`` leaves: nine persons of three pictures to train on, two more to be tested on."""
    folder = out / "prepared"
    folder.mkdir()
    rows = [
        {"source": "dfdc", "label": "real", "split": "train" if p < PERSONS else "val", "group": f"p{p}"}
        for p in range(PERSONS + 2)
        for _ in range(EACH)
    ]
    np.save(folder / "crops.npy", np.stack([face(k) for k in range(len(rows))]))
    np.save(folder / "mesh.npy", np.stack([mesh()] * len(rows)))
    (folder / "table.json").write_text(json.dumps(rows))


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    out = tmp_path_factory.mktemp("lesson")
    prepared(out)
    first = lesson.run(out, out / "results", steps=3, log=lambda _: None)
    again = lesson.run(out, out / "again", steps=3, log=lambda _: None)
    assert first["runs"] == again["runs"]
    assert json.loads((out / "results" / "lesson.json").read_text()) == first
    return first


def test_the_lesson_measures_three_networks_on_three_kinds_of_pictures(figures: dict[str, object]) -> None:
    runs = figures["runs"]
    assert isinstance(runs, dict)
    assert list(runs) == list(lesson.VARIANTS)
    assert [run["persons"] for run in runs.values()] == [6, 3, 3]
    for run in runs.values():
        assert run["curves"]["step"] == [0, 3]
        assert all(len(run["curves"][seen]) == 2 for seen in lesson.SEEN)
    assert render(figures, {}).count("\n") == 2 + len(runs)


def test_nobody_is_both_learned_from_and_unknown(tmp_path: Path) -> None:
    prepared(tmp_path)
    data = lesson.Prepared.open(tmp_path)
    variants, strangers = lesson.choose(data, np.random.default_rng(0))
    unknown = {data.rows[i]["group"] for i in strangers}
    for rows in variants.values():
        assert rows.train
        assert rows.other
        assert not set(rows.train) & set(rows.other)
        groups = {data.rows[i]["group"] for i in rows.train}
        assert len(groups) == rows.persons
        assert not groups & unknown
        assert {data.rows[i]["group"] for i in rows.other} <= groups or rows is not variants["few"]


def test_a_network_with_few_examples_learns_them_by_heart() -> None:
    rng = np.random.default_rng(0)
    noise = {name: rng.integers(0, 256, (16, 32, 32, 3)).astype(np.uint8) for name in ("trained", "unseen")}
    curves = lesson.learn(noise["trained"], noise, 1, 40)
    assert curves["trained"][-1] < 0.4 < curves["unseen"][-1]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, figures: dict[str, object]) -> Stage:
    """A face drawn by code, networks that learned nothing, results of ten pictures."""
    forge, results = tmp_path_factory.mktemp("generators"), tmp_path_factory.mktemp("results")
    torch.manual_seed(0)
    for kind in ("autoencoder", "adversarial", "gan"):
        (forge / kind).mkdir()
        torch.save({"average": AutoEncoder().state_dict()}, forge / kind / "checkpoint.pt")
        parts = ("autoencoder", "l1", "gradient", "discriminator", "generator")
        steps = (20, 40, 40, 60)
        (forge / kind / "log.jsonl").write_text(
            "".join(json.dumps({"step": k, **dict.fromkeys(parts, 1 / k)}) + "\n" for k in steps)
        )
    np.save(forge / "gan.npy", np.stack([face(k)[:96, :96] for k in range(3)]))
    (results / "lesson.json").write_text(json.dumps(figures))
    bins = [{"n": 5, "said": s, "was": {"value": s, "low": s / 2, "high": 1.0}} for s in (0.2, 0.7)]
    clean = {"calibration": {"verdict": {"bins": bins, "by_face": []}}}
    (results / "dfdc.json").write_text(json.dumps({"rungs": {"clean": clean}}))
    with gzip.open(results / "dfdc.scores.csv.gz", "wt", newline="") as f:
        csv.writer(f).writerows(
            [
                ("label", "clean/verdict"),
                *((("fake", "real")[k % 2], k / 10) for k in range(10)),
                ("real", "-"),
            ]
        )
    rgb = texture(512, 512, 3, soft=2.0)
    rgb[100 : 100 + SIDE, 150 : 150 + SIDE] = face()
    square = np.array([150, 100, 150 + SIDE, 100 + SIDE], np.float32)
    subject = Subject(rgb, texture(512, 512, 4), face(), square, mesh())
    return Stage(subject, forge, results, Settings())


def test_every_picture_of_the_page_is_made(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = make(stage, tmp_path)
    assert missing == []
    charts = [f"{name}{end}" for name in CHARTS for end in (".svg", ".zh-CN.svg")]
    assert {f.name for f in tmp_path.iterdir()} == {*SHEETS, *charts}
    for name in charts:
        drawn = ET.fromstring((tmp_path / name).read_text(encoding="utf-8"))
        title = drawn.find("{http://www.w3.org/2000/svg}title")
        assert title is not None
        assert title.text
    assert (tmp_path / "lesson.svg").read_text() != (tmp_path / "lesson.zh-CN.svg").read_text()


def test_what_was_not_trained_or_measured_is_told_and_left_as_it_was(stage: Stage, tmp_path: Path) -> None:
    bare = Stage(stage.subject, tmp_path / "none", tmp_path / "none", stage.settings)
    names = ["bottleneck.jpg", "nobody.jpg", "gan-loss", "lesson", "thresholds", "filters.png"]
    missing = make(bare, tmp_path / "out", names)
    assert [line.partition(":")[0] for line in missing] == names[:-1]
    assert all("haechi train" in line or "results" in line for line in missing)
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["filters.png"]
    with pytest.raises(UsageError, match="no picture sunset"):
        make(stage, tmp_path, ["sunset"])


def test_the_commands_make_what_they_say(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Subject, "open", lambda picture, weights: stage.subject)
    run, place = CliRunner(), str(tmp_path)
    where = ["--generators", place, "--results", place, "--out", str(tmp_path / "o")]
    drawn = run.invoke(app, ["pictures", *where, "--only", "filters.png", "--only", "gan-loss"])
    assert drawn.exit_code == ExitCode.PARTIAL
    assert "left as it was: gan-loss" in drawn.stderr
    assert (tmp_path / "o" / "filters.png").is_file()
    prepared(tmp_path)
    where = ["--data", place, "--out", place, "--results", str(tmp_path / "r")]
    learned = run.invoke(app, ["lesson", *where, "--steps", "1"])
    assert learned.exit_code == 0, learned.output
    assert json.loads((tmp_path / "r" / "lesson.json").read_text())["steps"] == 1


def test_a_chart_stays_on_its_card_and_escapes_its_words() -> None:
    def made() -> str:
        lines = [Line("a < b", [0, 1, 2], [5, -1, 99])]
        return chart(lines, "R&D", "x", "y", [Mark("<m>", 1)], y_range=(0, 10))

    drawn = made()
    root = ET.fromstring(drawn)
    words = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a < b", "<m>", "x", "y"} <= set(words)
    assert "nan" not in drawn
    assert drawn == made()
    with pytest.raises(ValueError, match="at least one point"):
        chart([], "t", "x", "y")


def test_pictures_side_by_side_keep_their_places() -> None:
    black, red = np.zeros((20, 20, 3), np.uint8), np.full((10, 10, 3), (255, 0, 0), np.uint8)
    board = sheet([black, None, red], 2, 40, None)
    assert board.shape == (80 + GAP_PX, 80 + GAP_PX, 3)
    assert not board[:40, :40].any()
    assert np.all(board[:40, 40 + GAP_PX :] == 255)
    assert np.all(board[40 + GAP_PX :, :40] == (255, 0, 0))


def test_a_lattice_is_a_dot_in_the_spectrum() -> None:
    smooth = texture(128, 128, 1, soft=2.0)
    lattice = smooth.copy()
    lattice[::2] = np.minimum(lattice[::2].astype(int) + 12, 255)
    gain = spectrum([lattice]) - spectrum([smooth])
    row, column = np.unravel_index(int(np.argmax(gain)), gain.shape)
    assert row == 0, "alternating lines are the fastest change there is"
    assert abs(int(column) - gain.shape[1] // 2) <= 1


def test_residuals_of_a_flat_face_are_nothing_and_large_ones_are_cut() -> None:
    for kernel in srm_bank():
        flat = looking.residual(np.full((20, 20, 3), 90, np.uint8), kernel)
        assert np.abs(flat[3:-3, 3:-3]).max() < 1e-3
        rough = looking.residual(texture(20, 20, 2), kernel)
        assert np.abs(rough).max() <= 3
