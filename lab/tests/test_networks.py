"""The networks take and give what their cards say, and the losses pull in the right direction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from haechi.errors import UsageError
from haechi_lab.networks.backbone import WEIGHTS, EdgeTrunk
from haechi_lab.networks.streams import LargeKernel, srm_bank
from haechi_lab.networks.swap import STREAMS, SwapNet
from haechi_lab.training.swap import correlation
from haechi_lab.training.weight_average import blend, blend_exports, blended
from synthetic import texture


def textures(side: int) -> torch.Tensor:
    return torch.from_numpy(np.stack([texture(side, side, i) for i in range(2)])).permute(0, 3, 1, 2).float()


@torch.inference_mode()
@pytest.mark.parametrize("streams", [STREAMS, ("fine",), ("large",), ("residual",)])
def test_the_face_network_gives_a_logit_a_map_and_what_the_logit_is_made_of(streams: tuple[str, ...]) -> None:
    network = SwapNet(streams).eval()
    logit, where, features = network(textures(224))
    assert logit.shape == (2,)
    assert where.shape == (2, 28, 28)
    assert network.out(features)[:, 0].numpy() == pytest.approx(logit.numpy(), abs=1e-5)
    alone = network(textures(224)[1:])[0]
    assert alone[0].item() == pytest.approx(logit[1].item(), abs=1e-3)


@torch.inference_mode()
def test_a_network_of_more_streams_begins_where_one_of_fewer_ended() -> None:
    torch.manual_seed(0)
    first, more = SwapNet(streams=("fine",)).eval(), SwapNet().eval()
    new = more.take_over(first.state_dict())
    assert {n.split(".")[0] for n in new} == {"beside", "reduce", "out"}
    before, after = first(textures(192)), more(textures(192))
    assert after[0].numpy() == pytest.approx(before[0].numpy(), abs=0.1)


@torch.inference_mode()
def test_a_network_that_loses_a_stream_keeps_what_the_others_say() -> None:
    whole, less = SwapNet(), SwapNet(streams=("fine", "residual"))
    assert less.take_over(whole.state_dict()) == ["out.weight"]
    large = slice(512 + 128, whole.out.in_features - 192)
    kept = torch.cat([whole.out.weight[:, : large.start], whole.out.weight[:, large.stop :]], 1)
    assert torch.equal(less.out.weight, kept)
    assert torch.equal(less.out.bias, whole.out.bias)


@torch.inference_mode()
def test_a_blend_lies_between_the_two_networks_it_is_made_of() -> None:
    torch.manual_seed(0)
    before, after = SwapNet(streams=("fine",)).eval(), SwapNet().eval()
    after.take_over(before.state_dict())
    with torch.no_grad():
        after.out.weight.add_(torch.randn_like(after.out.weight) * 0.05)
    x = textures(192)
    said = []
    for share in (0.0, 0.5, 1.0):
        network = SwapNet().eval()
        network.load_state_dict(blended(before.state_dict(), after.state_dict(), share))
        said.append(network(x)[0].numpy())
    assert said[0] == pytest.approx(before(x)[0].numpy(), abs=1e-4)
    assert said[2] == pytest.approx(after(x)[0].numpy(), abs=1e-4)
    half = blended(before.state_dict(), after.state_dict())["out.weight"]
    assert half[:, -10:].numpy() == pytest.approx(after.out.weight[:, -10:].numpy() / 2)


@torch.inference_mode()
def test_two_runs_of_one_stream_blend_into_a_network_of_that_stream(tmp_path: Path) -> None:
    torch.manual_seed(0)
    runs = [SwapNet(streams=("fine",)).eval() for _ in range(2)]
    files = [tmp_path / f"{k}.pt" for k in range(2)]
    for run, file in zip(runs, files, strict=True):
        torch.save({"average": run.state_dict()}, file)
    mixed = blend(files[0], files[1:], 0.5)
    assert mixed.streams == ("fine",)
    assert torch.allclose(mixed.out.weight, (runs[0].out.weight + runs[1].out.weight) / 2)


def test_exports_blend_by_their_shares_and_only_those_of_one_form(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    def network(name: str, weights: list[float]) -> Path:
        array = numpy_helper.from_array(np.array(weights, np.float16), "w")
        node = helper.make_node("Identity", ["w"], ["y"])
        out = helper.make_tensor_value_info("y", TensorProto.FLOAT16, [len(weights)])
        onnx.save(helper.make_model(helper.make_graph([node], "g", [], [out], [array])), str(tmp_path / name))
        return tmp_path / name

    one, other = network("a.onnx", [0.0, 4.0]), network("b.onnx", [8.0, 4.0])
    blend_exports({one: 0.75, other: 0.25}, tmp_path / "c.onnx")
    (mean,) = onnx.load(str(tmp_path / "c.onnx")).graph.initializer
    assert numpy_helper.to_array(mean).tolist() == [2.0, 4.0]
    with pytest.raises(UsageError, match="add up"):
        blend_exports({one: 0.7, other: 0.2}, tmp_path / "d.onnx")
    with pytest.raises(UsageError, match="another form"):
        blend_exports({one: 0.5, network("e.onnx", [1.0]): 0.5}, tmp_path / "d.onnx")
    assert not (tmp_path / "d.onnx").exists()


def test_what_is_frozen_does_not_learn() -> None:
    network = SwapNet(frozen="stem", streams=("fine",)).train()
    network(textures(64))[0].sum().backward()
    assert network.trunk is not None
    assert all(p.grad is None for p in network.trunk.stem.parameters())
    assert all(p.grad is not None for p in network.trunk.s8.parameters())
    assert not any(m.training for m in network.trunk.stem.modules())


def test_folding_keeps_the_function_of_a_large_kernel() -> None:
    torch.manual_seed(0)
    kernel = LargeKernel(4, 13)
    for _ in range(3):
        kernel(torch.randn(8, 4, 20, 20))
    kernel.eval()
    x = torch.randn(1, 4, 20, 20)
    before = kernel(x)
    kernel.fold()
    assert kernel.small is None
    assert kernel(x).detach().numpy() == pytest.approx(before.detach().numpy(), abs=1e-5)


def test_the_residual_filters_are_thirty_blind_to_flat_and_sloping_ground() -> None:
    bank = srm_bank()
    assert bank.shape == (30, 5, 5)
    assert len(np.unique(bank.reshape(30, -1).round(4), axis=0)) == 30
    assert np.abs(bank.sum((1, 2))).max() < 1e-6
    slope = np.arange(5, dtype=np.float32)[None, :] * np.ones((5, 1), np.float32)
    second_order = bank[8:]
    assert np.abs((second_order * slope).sum((1, 2))).max() < 1e-5


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
