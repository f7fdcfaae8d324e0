"""The network for generated faces: a mean of heads that were fitted, on a trunk that stays as it came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi_lab.data.views import Views  # noqa: E402
from haechi_lab.export.onnx import export, store_bytes  # noqa: E402
from haechi_lab.networks.dino import Dino  # noqa: E402
from haechi_lab.networks.dino_head import FEATURES, SIDE_PX, TAPS, GeneratedFace, Head, pooled  # noqa: E402
from haechi_lab.training.head import fitted  # noqa: E402
from haechi_lab.training.synthesis import learned_from  # noqa: E402


def heads(d: int = 12) -> tuple[list[Head], np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 2, (300, d)).astype(np.float32)
    y = x[:, 0] > 0
    return [fitted(x, y, np.full(300, 1 / 300), seed) for seed in (0, 1)], x


def test_the_mean_of_heads_says_the_mean_of_what_they_say() -> None:
    some, x = heads()
    together = Head.mean_of(some).logits(x)
    assert together == pytest.approx(np.mean([h.logits(x) for h in some], 0), abs=1e-5)
    assert not np.allclose(some[0].logits(x), some[1].logits(x))


def test_features_are_the_class_token_mean_and_deviation_of_each_tap() -> None:
    tokens = torch.randn(2, 1 + 9, 384)
    out = pooled([tokens] * len(TAPS))
    assert out.shape == (2, FEATURES)
    assert torch.equal(out[:, :384], tokens[:, 0])
    assert torch.allclose(out[:, 384:768], tokens[:, 1:].mean(1), atol=1e-6)
    assert torch.allclose(out[:, 768:1152], tokens[:, 1:].std(1), atol=1e-6)


def test_it_learns_from_genuine_faces_and_from_drawn_ones_not_from_swaps() -> None:
    kind = np.array(["", "swap", "blended", "generated", "generated", ""])
    n = len(kind)
    views = Views(
        {}, np.array(["a", "a", "b", "c", "d", "a"]), kind != "", np.array([True] * 5 + [False]),
        np.array(["drawn"] * n), np.arange(n), kind,
    )  # fmt: skip
    assert learned_from(views).tolist() == [True, False, True, True, True, False]
    assert learned_from(views, ["c"]).tolist() == [True, False, True, False, True, False]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_stored_in_bytes_it_says_nearly_the_same(tmp_path: Path) -> None:
    import onnxruntime

    torch.manual_seed(0)
    network = GeneratedFace(Dino(), Head(torch.zeros(FEATURES), torch.ones(FEATURES))).eval()
    assert export(network, "synthesis", tmp_path, SIDE_PX, ["logit"]) < 1e-3
    file, x = tmp_path / "synthesis.onnx", np.random.default_rng(0).uniform(0, 255, (1, 3, SIDE_PX, SIDE_PX))
    before, size = onnxruntime.InferenceSession(str(file)), file.stat().st_size
    (whole,) = before.run(None, {"pictures": x.astype(np.float32)})
    store_bytes(file)
    assert file.stat().st_size < 0.7 * size
    session, x = onnxruntime.InferenceSession(str(file)), x.astype(np.float32)
    (bytewise,) = session.run(None, {"pictures": x})
    assert bytewise == pytest.approx(whole, abs=0.1)
    # As on another processor, whose kernels round otherwise: products of bytes turned a hair into tenths.
    (shaken,) = session.run(None, {"pictures": x * np.float32(1 + 1e-6)})
    assert shaken == pytest.approx(bytewise, abs=1e-3)
