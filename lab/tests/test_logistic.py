"""Small fits against answers that are known, and data that is cut by person and read without unpacking."""

from __future__ import annotations

import csv
import tarfile
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi.errors import UsageError
from haechi_lab.data.shards import Item, Shards, file_hash, half, load_manifest, select
from haechi_lab.training.logistic import balanced, logistic
from synthetic import texture


def drawn(n: int, w: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, len(w) - 1))
    p = 1 / (1 + np.exp(-(x @ w[:-1] + w[-1])))
    return x, (rng.random(n) < p).astype(np.float64)


def test_logistic_regression_finds_the_coefficients_again() -> None:
    x, y = drawn(20_000, [1.2, -0.7, 0.4])
    assert logistic(x, y, np.ones(len(y)), ridge=0.0) == pytest.approx([1.2, -0.7, 0.4], abs=0.06)


def test_weights_count_like_copies() -> None:
    x, y = drawn(400, [1.0, 0.5])
    twice = np.where(np.arange(400) < 100, 2.0, 1.0)
    copied = np.concatenate([x, x[:100]]), np.concatenate([y, y[:100]])
    weighted = logistic(x, y, twice, ridge=0.0)
    assert weighted == pytest.approx(logistic(*copied, np.ones(500), ridge=0.0), abs=1e-5)


def test_a_ridge_keeps_separable_data_finite() -> None:
    x = np.linspace(-1, 1, 40)[:, None]
    y = (x[:, 0] > 0).astype(np.float64)
    slope, intercept = logistic(x, y, np.ones(40), ridge=0.01)
    assert 1 < slope < 100
    assert abs(intercept) < 0.5


def test_both_classes_and_all_their_sources_are_heard() -> None:
    labels = [0] * 90 + [0] * 10 + [1] * 400
    sources = ["many"] * 90 + ["few"] * 10 + ["fakes"] * 400
    weight = balanced(labels, sources)
    y = np.array(labels)
    assert weight[y == 0].sum() == pytest.approx(weight[y == 1].sum())
    assert weight.mean() == pytest.approx(1)
    assert weight[90] == pytest.approx(3 * weight[0]), "square root of the ratio of counts"


def test_a_person_falls_into_the_same_half_for_ever() -> None:
    parts = [half(f"person {i}") for i in range(6)]
    assert [p[0] for p in parts] == ["s", "s", "r", "s", "s", "r"]
    assert set(parts) == {"selection", "reporting"}
    share = np.mean([half(f"group-{i}") == "selection" for i in range(4000)])
    assert 0.47 < share < 0.53


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two shards of two pictures, and their manifest."""
    rows = []
    for shard in range(2):
        with tarfile.open(tmp_path / f"set-{shard:02d}.tar", "w") as tar:
            for k in range(2):
                name = f"set/{shard}-{k}.png"
                data = cv2.imencode(".png", texture(20, 30, 10 * shard + k)[:, :, ::-1])[1].tobytes()
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, BytesIO(data))
                label = "fake" if k else "real"
                rows.append(
                    (name, label, "face-swap" if k else "", "train" if shard else "val", "set", f"g{k}")
                )
    with (tmp_path / "manifest.csv").open("w", newline="") as f:
        csv.writer(f).writerows([("path", "label", "kind", "split", "source", "group"), *rows])
    return tmp_path


def test_pictures_are_read_out_of_their_shards(folder: Path) -> None:
    shards = Shards(folder)
    assert shards.paths() == ["set/0-0.png", "set/0-1.png", "set/1-0.png", "set/1-1.png"]
    assert shards.paths("set/1") == ["set/1-0.png", "set/1-1.png"]
    assert np.array_equal(shards.rgb("set/1-0.png"), texture(20, 30, 10))


def test_the_manifest_is_selected_by_split_source_and_label(folder: Path) -> None:
    items = load_manifest(folder)
    assert items[1] == Item("set/0-1.png", "fake", "face-swap", "val", "set", "g1")
    assert items[1].fake
    assert [i.path for i in select(items, split="train")] == ["set/1-0.png", "set/1-1.png"]
    assert [i.path for i in select(items, split="val", source="set", label="real")] == ["set/0-0.png"]
    assert select(items, split="val", source="other") == []


def test_a_folder_without_data_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.tar"):
        Shards(tmp_path)
    with pytest.raises(UsageError, match=r"manifest\.csv"):
        load_manifest(tmp_path)


def test_a_hash_of_files_minds_their_order_and_every_byte(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"one")
    b.write_bytes(b"two")
    first = file_hash([a, b])
    assert first != file_hash([b, a])
    b.write_bytes(b"twO")
    assert file_hash([a, b]) != first
