"""What the face network is shown: genuine and forged in turn, one law for both, and what guidance changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi_lab.data.pairs import DRAWN, PAIRS, SWAPS, Prepared, SwapData  # noqa: E402
from haechi_lab.training.distillation import CLUSTERS, LEAST, MOST, Guidance  # noqa: E402
from meshes import mesh  # noqa: E402

SOURCES = {
    ("dfdc", "real"): 100,
    ("dfdc", "fake"): 180,
    ("ffhq-stylegan1", "real"): 60,
    ("ffhq-stylegan1", "fake"): 220,
    ("lfw", "real"): 80,
    ("ffhq-1024", "real"): 140,
}
"""The grey of each source's pictures tells in a batch where they come from."""
EACH = 12
PLAIN = ("light", "blur", "resize", "noise", "jpeg", "video", "occlusion")


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    rng = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    crops = []
    for (source, label), grey in SOURCES.items():
        for k in range(EACH):
            rows.append({"path": f"{source}-{label}-{k}", "source": source, "split": "train", "label": label})
            crops.append(np.clip(rng.normal(grey, 3 + k, (224, 224, 3)), 0, 255).astype(np.uint8))
    return Prepared(tmp_path, rows, np.stack(crops), np.stack([mesh()] * len(rows)))


def test_a_batch_without_families_holds_swaps_and_drawn_faces_beside_genuine_ones(prepared: Prepared) -> None:
    data = SwapData(prepared, mix={}, hardest_at=1, without=PLAIN)
    batch = data.batch(3, np.random.default_rng(1))
    assert batch["x"].shape == (2 * (SWAPS + DRAWN), 224, 224, 3)
    assert batch["y"].tolist() == [0.0, 1.0] * (SWAPS + DRAWN)
    greys = batch["x"].float().mean((1, 2, 3)).numpy()
    assert np.abs(greys[0 : 2 * SWAPS : 2] - 100).max() < 8
    assert np.abs(greys[1 : 2 * SWAPS : 2] - 180).max() < 8
    assert np.abs(greys[2 * SWAPS + 1 :: 2] - 220).max() < 8
    assert not batch["known"][1::2].any(), "where a swap was made is not known"


def test_pairs_come_first_with_their_masks(prepared: Prepared) -> None:
    data = SwapData(prepared, mix={"self_blend": 1.0}, hardest_at=1, without=PLAIN)
    batch = data.batch(0, np.random.default_rng(2))
    assert len(batch["y"]) == 2 * (PAIRS + SWAPS + DRAWN)
    assert batch["known"][: 2 * PAIRS].all()
    assert (batch["mask"][1 : 2 * PAIRS : 2].amax((1, 2)) > 0).all()
    assert (batch["mask"][0 : 2 * PAIRS : 2] == 0).all()


def test_the_same_number_is_the_same_batch(prepared: Prepared) -> None:
    data = SwapData(prepared, mix={"local_edit": 1.0}, without=("video",))
    one, two = (data.batch(7, np.random.default_rng([7, 7]))["x"] for _ in range(2))
    assert torch.equal(one, two)


def test_swaps_that_are_told_badly_as_a_cluster_are_drawn_more_often() -> None:
    rng = np.random.default_rng(0)
    cluster = np.arange(40 * CLUSTERS) % CLUSTERS
    features = (np.eye(CLUSTERS)[cluster] * 50 + rng.normal(size=(len(cluster), CLUSTERS))).astype(np.float32)
    soft = np.where(cluster == 3, 0.2, 0.9)
    odds = Guidance(soft, features).odds(list(range(len(cluster))))
    assert odds.sum() == pytest.approx(1)
    assert odds[cluster == 3].min() > odds[cluster != 3].max()
    assert odds.max() <= 1.01 * MOST / LEAST * odds.min()


def test_one_swap_told_badly_among_its_like_is_not_drawn_more_often() -> None:
    rng = np.random.default_rng(0)
    cluster = np.arange(40 * CLUSTERS) % CLUSTERS
    features = (np.eye(CLUSTERS)[cluster] * 50 + rng.normal(size=(len(cluster), CLUSTERS))).astype(np.float32)
    soft = np.full(len(cluster), 0.9)
    soft[5] = 0.02
    odds = Guidance(soft, features).odds(list(range(len(cluster))))
    assert odds[5] == pytest.approx(odds[5 + CLUSTERS])
