"""The second face network: what of it learns, what is kept of a run, and how networks are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi.errors import UsageError  # noqa: E402
from haechi_lab.data.packs import Face, Pack  # noqa: E402
from haechi_lab.evaluate import by_source  # noqa: E402
from haechi_lab.networks.dino import Dino  # noqa: E402
from haechi_lab.networks.dino_face import DinoFace  # noqa: E402
from haechi_lab.networks.dino_head import FEATURES, GeneratedFace, Head  # noqa: E402
from haechi_lab.training import dino  # noqa: E402
from haechi_lab.training.dino import SIDE_PX, begun, save  # noqa: E402
from haechi_lab.training.swap import swap_loss  # noqa: E402


def made(seed: int) -> DinoFace:
    torch.manual_seed(seed)
    return DinoFace(Dino(), Head(torch.zeros(FEATURES), torch.ones(FEATURES))).eval()


@pytest.fixture(scope="module")
def network() -> DinoFace:
    return made(1)


@pytest.fixture
def trunk(monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of the pretrained trunk, one of the same start."""

    def pretrained(_: Path) -> Dino:
        torch.manual_seed(2)
        return Dino().eval()

    monkeypatch.setattr(dino.Dino, "pretrained", pretrained)
    return Path("vit.onnx")


PICTURE = torch.rand(1, 3, SIDE_PX, SIDE_PX, generator=torch.Generator().manual_seed(3)) * 255


def test_it_gives_a_logit_and_a_map_of_patches(network: DinoFace) -> None:
    with torch.inference_mode():
        logit, where, _ = network(torch.zeros(2, 3, 196, 196))
    assert (logit.shape, where.shape) == ((2,), (2, 14, 14))


def test_one_forged_patch_is_enough_to_raise_the_logit(network: DinoFace) -> None:
    """The brightest cells count, not their mean over the face: an edit may be small."""
    with torch.inference_mode():
        x = torch.zeros(1, 3, 196, 196)
        before, where, _ = network(x)
        network.share.data += 1.0
        after, _, _ = network(x)
        network.share.data -= 1.0
    top = where.flatten(1).topk(16, 1).values.mean(1)
    assert torch.allclose(after - before, top, atol=1e-4)


def test_it_begins_as_the_network_for_generated_faces(tmp_path: Path, trunk: Path) -> None:
    torch.manual_seed(4)
    head = Head(torch.zeros(FEATURES), torch.ones(FEATURES), 48)
    torch.save(head.state_dict(), tmp_path / "head.pt")
    network = begun(trunk, tmp_path / "head.pt").eval()
    with torch.inference_mode():
        before = GeneratedFace(Dino.pretrained(trunk), head.eval())(PICTURE)
        assert torch.allclose(network(PICTURE)[0], before, atol=1e-4)


def test_a_run_is_taken_up_as_it_ended(tmp_path: Path, trunk: Path) -> None:
    first = made(2)
    first.trunk.load_state_dict(
        {**first.trunk.state_dict(), **Dino.pretrained(trunk).state_dict()}, strict=False
    )
    with torch.no_grad():
        for value in first.tuned().values():
            value.add_(0.01 * torch.randn_like(value))
    save(first, tmp_path / "tuned.pt")
    second = begun(trunk, tmp_path / "tuned.pt").eval()
    with torch.inference_mode():
        assert torch.allclose(first(PICTURE)[0], second(PICTURE)[0], atol=2e-2)
        assert torch.allclose(second.plain()(PICTURE)[0], second(PICTURE)[0], atol=1e-3)
    assert (tmp_path / "tuned.pt").stat().st_size < 6_000_000


def test_another_network_is_refused(tmp_path: Path, trunk: Path) -> None:
    torch.save({"out.weight": torch.zeros(1, 3)}, tmp_path / "tuned.pt")
    with pytest.raises(UsageError, match="no head"):
        begun(trunk, tmp_path / "tuned.pt")
    weights = {**made(5).tuned(), "cells.weight": torch.zeros(1, 3)}
    torch.save(weights, tmp_path / "tuned.pt")
    with pytest.raises(UsageError, match="another network"):
        begun(trunk, tmp_path / "tuned.pt")
    with pytest.raises(UsageError, match="missing"):
        begun(trunk, tmp_path / "none.pt")


def test_its_map_is_taught_by_the_same_masks(network: DinoFace) -> None:
    """Cells of 14 px are compared with masks that are kept in cells of 8."""

    class Drawn(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            bright = torch.nn.functional.avg_pool2d(x.mean(1), 14) / 255
            return x.mean((1, 2, 3)) * 0, 24 * bright - 12, x

    n = 52
    x = torch.zeros(n, 224, 224, 3)
    x[:, 56:168, 56:168] = 255
    mask = torch.zeros(n, 28, 28)
    mask[:, 7:21, 7:21] = 1
    batch = {
        "x": x, "y": torch.tensor([0.0, 1.0] * 26), "mask": mask, "known": torch.ones(n, dtype=torch.bool),
        "confounder": torch.rand(n, 4),
    }  # fmt: skip
    _, right = swap_loss(Drawn(), batch, SIDE_PX, 14)
    _, wrong = swap_loss(Drawn(), {**batch, "mask": 1 - mask}, SIDE_PX, 14)
    assert right["map"] < 0.1
    assert wrong["map"] > 1.0


def test_networks_are_compared_on_validation_faces_of_each_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = np.zeros((80, 224, 224, 3), np.uint8)
    faces = []
    for i in range(80):
        fake = bool(i % 2)
        crops[i] = 200 if fake else 40
        split = "val" if i < 60 else "train"
        face = Face(
            f"{i}", "openforensics", "fake" if fake else "real", "blended", split, f"g{i}", "", 9, 9, 9
        )
        faces.append(face)
    pack = Pack("openforensics", faces, crops, np.zeros((80, 468, 2), np.float16))
    monkeypatch.setattr(by_source, "open_all", lambda _: [pack])
    networks: dict[str, by_source.Scorer] = {
        "sees": lambda c: c.mean((1, 2, 3)), "blind": lambda c: np.zeros(len(c)),
    }  # fmt: skip
    result = by_source.measure(tmp_path, networks, 20, tmp_path / "out.json", "test", True, lambda _: None)
    values = {(r["scores"], r["jpeg"]): r["value"] for r in result["auc"]}
    assert result["faces"] == 40
    assert values["sees", 90] == values["sees", 40] == values["sees + blind", 40] == 1.0
    assert values["blind", 90] == 0.5
