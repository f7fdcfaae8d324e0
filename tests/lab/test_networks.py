"""The networks take and give what their cards say, and the losses pull in the right direction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from haechi.lab.networks.backbone import WEIGHTS, EdgeTrunk
from haechi.lab.networks.swap import SwapNet
from haechi.lab.networks.synthesis import SynthesisNet
from haechi.lab.train_swap import correlation
from haechi.lab.train_synthesis import WINDOW_PX, rescale, window
from synthetic import texture


@torch.inference_mode()
def test_the_swap_network_gives_a_logit_and_a_map() -> None:
    network = SwapNet().eval()
    x = torch.from_numpy(np.stack([texture(224, 224, i) for i in range(2)])).permute(0, 3, 1, 2).float()
    logit, where = network(x)
    assert logit.shape == (2,)
    assert where.shape == (2, 28, 28)
    alone, _ = network(x[1:])
    assert alone[0].item() == pytest.approx(logit[1].item(), abs=1e-3)


@torch.inference_mode()
def test_the_synthesis_network_gives_a_logit() -> None:
    network = SynthesisNet().eval()
    x = torch.from_numpy(np.stack([texture(160, 160, i) for i in range(2)])).permute(0, 3, 1, 2).float()
    logit = network(x)
    assert logit.shape == (2,)
    assert torch.isfinite(logit).all()


def test_the_trunk_starts_from_the_published_function(tmp_path: Path) -> None:
    """Folded weights with a measured batch norm behind each are the function that they were published as."""
    torch.manual_seed(0)
    trunk = EdgeTrunk()
    convs = [m for m in trunk.modules() if type(m).__name__ == "Conv"]
    rng = np.random.default_rng(0)
    stored = {}
    for n, module in enumerate(convs):
        weight = module.conv.weight
        scale = float(np.sqrt(2 / weight[0].numel()))
        w = rng.normal(0, scale, weight.shape).astype(np.float32)
        back = (1, 2, 3, 0) if module.conv.groups > 1 else (0, 2, 3, 1)  # as TensorFlow lays them out
        stored[f"{n:03d}_w"] = np.ascontiguousarray(w.transpose(back))
        stored[f"{n:03d}_b"] = rng.normal(0, 0.1, weight.shape[0]).astype(np.float32)
    np.savez(tmp_path / WEIGHTS, **stored)
    x = torch.from_numpy(texture(64, 64)[None]).permute(0, 3, 1, 2).float()
    trunk.load_imagenet(tmp_path, torch.cat([x, x.flip(3)]))
    trunk.eval()

    def plain(conv: torch.nn.Module, n: int) -> None:
        conv.register_forward_hook(lambda m, i, y: y + torch.from_numpy(stored[f"{n:03d}_b"])[:, None, None])

    with torch.inference_mode():
        normed = trunk(x)
        for n, module in enumerate(convs):
            plain(module.conv, n)
            module.norm = torch.nn.Identity()
        folded = trunk(x)
    for a, b in zip(normed, folded, strict=True):
        assert a.numpy() == pytest.approx(b.numpy(), abs=2e-2 * float(b.abs().max()) + 1e-3)


def test_correlation_is_priced_only_beyond_chance() -> None:
    torch.manual_seed(0)
    logit = torch.randn(400)
    follows = torch.stack([logit * 2 + 1, -logit], 1)
    free = torch.randn(400, 2)
    assert float(correlation(logit, follows)) == pytest.approx(1, abs=0.01)
    assert float(correlation(logit, free)) < 0.02
    assert torch.isfinite(correlation(torch.zeros(8), torch.zeros(8, 4)))


def test_pictures_of_a_pair_are_resized_and_cut_alike() -> None:
    big = texture(300, 420)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        a, b = rescale([big, big.copy()], rng)
        assert np.array_equal(a, b)
        assert min(a.shape[:2]) >= WINDOW_PX
        c, d = window([a, b], rng)
        assert c.shape == (WINDOW_PX, WINDOW_PX, 3)
        assert np.array_equal(c, d)
    sizes = {rescale([big], np.random.default_rng(s))[0].shape[0] for s in range(40)}
    assert len(sizes) > 10
    assert 300 in sizes, "some stay as they are"


def test_a_picture_too_small_for_a_window_is_enlarged_just_enough() -> None:
    (small,) = rescale([texture(100, 140)], np.random.default_rng(1))
    assert min(small.shape[:2]) >= WINDOW_PX
    (cut,) = window([small], np.random.default_rng(1))
    assert cut.shape == (WINDOW_PX, WINDOW_PX, 3)
