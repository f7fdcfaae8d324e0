"""The generators of pseudo-fakes begin near a face, learn, go on where they were cut off, and fill pools."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from haechi.errors import UsageError
from haechi.types import F32, U8
from haechi_lab.pseudo_fakes.align import PLACES, POINTS, askew, cut_face, frame, put_back, similarity
from haechi_lab.pseudo_fakes.generator_pools import Nobody, Pool
from meshes import SIDE, face, mesh

MESH, FACE = mesh(), face()


def test_a_similarity_finds_turn_scale_and_shift() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (7, 2)).astype(np.float32)
    turn = 0.3
    m = 1.7 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = similarity(points, points @ m.T + np.array([5.0, -3.0]))
    assert found == pytest.approx(np.concatenate([m, [[5.0], [-3.0]]], 1), abs=1e-5)
    with pytest.raises(ValueError, match="one place"):
        similarity(np.ones((5, 2), np.float32), PLACES)


def test_a_face_that_is_turned_stands_upright_in_its_square() -> None:
    turn = np.radians(25)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    turned = (MESH - 112) @ rotation.T + 112
    there = turned[POINTS] @ frame(turned, 96)[:, :2].T + frame(turned, 96)[:, 2]
    assert there == pytest.approx(PLACES * 96 - 0.5, abs=8)
    assert askew(turned) == pytest.approx(askew(MESH), abs=1e-5)
    narrow, wide = frame(MESH, 96), frame(MESH, 96, 1.5)
    assert np.hypot(*narrow[:, 0]) == pytest.approx(1.5 * np.hypot(*wide[:, 0]))


@pytest.mark.parametrize("side", [64, 96, 160])
def test_a_face_cut_out_and_put_back_is_the_picture_again(side: int) -> None:
    m = frame(MESH, side)
    again = put_back(FACE, cut_face(FACE, m, side), m)
    corners = np.array([[0, 0], [0, 12], [12, 0]])
    assert np.array_equal(again[tuple(corners.T)], FACE[tuple(corners.T)]), (
        "outside the square nothing changes"
    )
    assert np.abs(again.astype(int) - FACE).mean() < 9
    flat = np.full((side, side, 3), 200, np.uint8)
    x, y = MESH[1].round().astype(int)
    assert np.all(put_back(FACE, flat, m)[y, x] == 200)


def pools(folder: Path) -> None:
    np.save(folder / "autoencoder.npy", np.stack([FACE, 255 - FACE]))
    (folder / "autoencoder.json").write_text(json.dumps({"rows": [7, 3], "px": [64, 128], "ups": ["a", "b"]}))
    np.save(folder / "gan.npy", np.zeros((10, 32, 32, 3), np.uint8))
    np.save(folder / "gan_mesh.npy", np.arange(10 * 468 * 2, dtype=np.float32).reshape(10, 468, 2))
    (folder / "gan.json").write_text(json.dumps({"drawn": 12, "kept": 10, "train": 8}))


def test_a_pool_gives_what_was_drawn_and_none_for_other_rows(tmp_path: Path) -> None:
    pools(tmp_path)
    pool = Pool.open(tmp_path, "autoencoder")
    drawn = pool.drawn(3)
    assert drawn is not None
    assert np.array_equal(drawn, 255 - FACE)
    assert pool.drawn(4) is None
    assert pool.rows == (7, 3)
    assert pool.px[3] == 128
    drawn[:] = 0
    assert np.array_equal(pool.drawn(3), 255 - FACE), "a copy is given, not the pool"


def test_faces_of_nobody_are_apart_by_split(tmp_path: Path) -> None:
    pools(tmp_path)
    nobody = Nobody.open(tmp_path)
    assert nobody.faces["train"].shape == (8, 32, 32, 3)
    assert nobody.faces["val"].shape == (2, 32, 32, 3)
    assert nobody.meshes["val"][0, 0, 0] == 8 * 468 * 2


def test_a_pool_that_was_not_made_says_how_to_make_it(tmp_path: Path) -> None:
    for opened in (lambda: Pool.open(tmp_path, "adversarial"), lambda: Nobody.open(tmp_path)):
        with pytest.raises(UsageError, match="haechi train generators"):
            opened()


torch = pytest.importorskip("torch")

from haechi_lab.networks.autoencoder import UPS, AutoEncoder, likeness, ssim  # noqa: E402
from haechi_lab.networks.backbone import EdgeTrunk  # noqa: E402
from haechi_lab.networks.gan import (  # noqa: E402
    Discriminator,
    Generator,
    altered,
    not_fooled,
    told_apart,
)
from haechi_lab.pseudo_fakes import generate_pools as fill  # noqa: E402
from haechi_lab.training import generators as train_generators  # noqa: E402
from haechi_lab.training.adversarial import Turn, duel  # noqa: E402
from haechi_lab.training.loop import Batch, Plan  # noqa: E402

WIDTHS = (6, 12, 12, 16)


def faces(count: int, side: int = 64) -> torch.Tensor:
    rng = np.random.default_rng(1)
    shown = []
    for seed in range(count):
        rgb = face(seed)
        shown.append(cut_face(rgb, frame(MESH, side, float(rng.uniform(0.9, 1.1))), side))
    return train_generators.tensor(shown)


@pytest.mark.parametrize("up", UPS)
@pytest.mark.parametrize("side", [64, 96])
def test_a_redrawn_face_has_the_size_it_came_in(side: int, up: str) -> None:
    torch.manual_seed(0)
    network = AutoEncoder(8, WIDTHS)
    x = faces(2, side)
    assert network.encode(x).shape == (2, 8, side // 16, side // 16)
    assert network(x, up).shape == x.shape
    with pytest.raises(ValueError, match="no up-sampler"):
        network(x, "sinc")


def test_principal_components_draw_a_face_before_any_training() -> None:
    torch.manual_seed(0)
    network, x = AutoEncoder(16, WIDTHS), faces(8)
    before = likeness(network(x), x)[1]["l1"]
    network.begin(x)
    after = likeness(network(x), x)[1]["l1"]
    assert after < 0.6 * before
    with pytest.raises(ValueError, match="components"):
        AutoEncoder(16, WIDTHS).begin(x[:1, :, :16, :16])


def test_a_few_steps_make_the_autoencoder_more_like_the_face() -> None:
    torch.manual_seed(0)
    network, x = AutoEncoder(16, WIDTHS), faces(6)
    network.begin(x)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    values = []
    for step in range(15):
        value, _ = likeness(network(x, UPS[step % 3]), x)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert np.mean(values[-3:]) < 0.85 * np.mean(values[:3])


def test_a_picture_is_most_like_itself() -> None:
    x = faces(2)
    assert ssim(x, x).item() == pytest.approx(1, abs=1e-5)
    assert ssim(x, x.flip(3)).item() < 0.9
    assert likeness(x, x)[0].item() == pytest.approx(0, abs=1e-5)


def judge_of(x: torch.Tensor, peers: bool = True) -> Discriminator:
    torch.manual_seed(5)
    return Discriminator(EdgeTrunk(), x, peers, width=8)


def test_the_players_answer_in_shape_and_begin_undecided() -> None:
    x = faces(4)
    judge = judge_of(x)
    assert judge(x).shape == judge(faces(4, 96)).shape == (4, 36)
    blind = torch.zeros(4, 36)
    assert told_apart(blind, blind).item() == pytest.approx(2 * np.log(2))
    assert not_fooled(blind).item() == pytest.approx(np.log(2))
    assert altered(x).shape == x.shape


def test_the_eyes_of_the_discriminator_are_not_trained_but_gradients_pass() -> None:
    x = faces(3).requires_grad_()
    judge = judge_of(x.detach())
    not_fooled(judge(x)).backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0
    assert not any("eyes" in name or "stem" in name for name in judge.state_dict())
    one_face = x.detach()[:1].repeat(3, 1, 1, 1)
    alone, among = judge(one_face)[0], judge(torch.cat([one_face[:1], x.detach()[1:]]))[0]
    assert not torch.allclose(alone, among), "a batch of one face only looks different"


def test_the_generator_begins_with_the_decoder_and_codes_of_the_autoencoder() -> None:
    torch.manual_seed(0)
    start, x = AutoEncoder(64), faces(6)
    start.begin(x)
    maker = Generator(noise=4, side=64)
    with torch.no_grad():
        maker.begin(start, start.encode(x))
        middle = maker(torch.zeros(1, 4))
        expected = start.decode(start.encode(x).mean(0, keepdim=True), "shuffle")
    assert middle.shape == (1, 3, 64, 64)
    assert torch.allclose(middle, expected, atol=1e-4)
    with pytest.raises(ValueError, match="components"):
        maker.begin(start, torch.zeros(4, 64, 4, 4))


def test_a_calmed_generator_stands_between_its_start_and_its_end() -> None:
    torch.manual_seed(0)
    start, end = AutoEncoder(64), Generator(noise=4, side=64)
    with torch.no_grad():
        for excite in end.excite:
            excite.gate.bias.fill_(2.0)
    half, none = end.calmed(start, 0.5), end.calmed(start, 0.0)
    ours, first, last = (n.state_dict()["draw.weight"] for n in (half.decoder, start, end.decoder))
    assert torch.allclose(ours, (first + last) / 2, atol=1e-6)
    assert half.excite[0].gate.bias[0] == 1.0
    code = end.code(torch.ones(1, 4)).reshape(1, 64, 4, 4)
    assert torch.allclose(none(torch.ones(1, 4)), start.decode(code, "shuffle"), atol=1e-4)


class Cut(Exception):
    """The plug is pulled."""


def play(out: Path, plug: int | None = None) -> torch.nn.Module:
    torch.manual_seed(3)
    start, x = AutoEncoder(64), faces(6)
    start.begin(x)
    maker, judge = Generator(noise=4, side=64), judge_of(x)
    maker.begin(start, start.encode(x).detach())

    def make(k: int, rng: np.random.Generator) -> Batch:
        if k == plug:
            raise Cut
        return {"noise": torch.from_numpy(rng.standard_normal((3, 4), np.float32)), "faces": x[:3]}

    def judging(players, batch):  # type: ignore[no-untyped-def]
        batch["drawn"] = players["generator"](batch["noise"])
        return train_generators._judged(
            players["discriminator"], batch["faces"], altered(batch["drawn"].detach())
        )

    def drawing(players, batch):  # type: ignore[no-untyped-def]
        return not_fooled(players["discriminator"](altered(batch["drawn"]))), {}

    plan = Plan(steps=5, batch=3, lr=1e-3, warmup=1, workers=0, checkpoint_s=0.0)
    turns = (Turn("discriminator", judging), Turn("generator", drawing, still=("discriminator",)))
    players = {"generator": maker, "discriminator": judge}
    return duel(players, turns, "generator", make, plan, out, {"task": "x"}, every=2, log=lambda _: None)[0]


def test_a_game_that_was_cut_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = play(tmp_path / "whole").state_dict()
    with pytest.raises(Cut):
        play(tmp_path / "cut", plug=3)
    resumed = play(tmp_path / "cut").state_dict()
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    lines = [json.loads(line) for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert {"step", "seconds", "discriminator", "generator", "genuine"} <= lines[-1].keys()
    assert all(np.isfinite(v) for line in lines for v in line.values())
    assert json.loads((tmp_path / "cut" / "config.json").read_text())["task"] == "x"


def test_a_loss_that_is_no_number_stops_the_game(tmp_path: Path) -> None:
    layer = torch.nn.Linear(1, 1)
    turn = Turn("only", lambda players, _: (players["only"].weight.sum() * float("nan"), {}))
    with pytest.raises(FloatingPointError, match="only"):
        duel(
            {"only": layer},
            (turn,),
            "only",
            lambda *_: {},
            Plan(2, 1, 1e-3),
            tmp_path,
            {},
            log=lambda _: None,
        )


def prepared(folder: Path, count: int = 12) -> Path:
    """As ``lab.prepare`` fills it, of faces drawn by code: half DFDC, a third for validation, one fake."""
    folder.mkdir()
    np.save(folder / "crops.npy", np.stack([face(seed) for seed in range(count)]))
    np.save(folder / "mesh.npy", np.stack([MESH] * count))
    rows = [
        {
            "source": "dfdc" if i % 2 else "lfw", "split": "val" if i % 3 == 0 else "train",
            "label": "fake" if i == count - 1 else "real", "presence": 1.0,
        }
        for i in range(count)
    ]  # fmt: skip
    (folder / "table.json").write_text(json.dumps(rows))
    return folder


def test_only_genuine_training_faces_are_learned_from(tmp_path: Path) -> None:
    own = train_generators.Faces.open(prepared(tmp_path / "prepared"), "train")
    assert own.rows.tolist() == [1, 2, 4, 5, 7, 8, 10]
    rng = np.random.default_rng(0)
    drawn = own.draw(200, rng)
    assert set(drawn) == set(own.rows.tolist())
    first, again = (own.upright(2, 64, np.random.default_rng(5)) for _ in range(2))
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, own.upright(2, 64))


def test_redrawn_crops_become_a_pool(tmp_path: Path) -> None:
    source, out = prepared(tmp_path / "prepared"), tmp_path / "generators"
    torch.manual_seed(0)
    fill.fill_redrawn(AutoEncoder(8, WIDTHS), "autoencoder", source, out)
    pool = Pool.open(out, "autoencoder")
    assert sorted(pool.rows) == list(range(11)), "the fake is not redrawn"
    drawn = pool.drawn(4)
    assert drawn is not None
    assert drawn.shape == (SIDE, SIDE, 3)
    assert np.array_equal(drawn[:8, :8], face(4)[:8, :8])
    assert not np.array_equal(drawn, face(4))
    first = np.array(pool.pictures)
    fill.fill_redrawn(AutoEncoder(8, WIDTHS), "adversarial", source, out)
    assert Pool.open(out, "adversarial").px != {} != pool.px
    assert np.array_equal(first, Pool.open(out, "autoencoder").pictures)
    assert not list(out.glob("*.part*"))


class Teacher:
    """Finds the mesh of the drawn face in every second picture."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        count = len(shown)
        m = frame(MESH, 192, fill.AROUND)
        points: F32 = (MESH @ m[:, :2].T + m[:, 2]).astype(np.float32)
        presence = torch.tensor([float((self.asked + k) % 2) for k in range(count)])
        self.asked += count
        return torch.from_numpy(np.stack([points] * count)), presence


def test_only_faces_that_came_out_are_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    maker = Generator(noise=4, side=64)
    fill.fill_nobody(maker, Teacher(), tmp_path, least=10, batch=6)  # type: ignore[arg-type]
    nobody, facts = Nobody.open(tmp_path), json.loads((tmp_path / "gan.json").read_text())
    assert nobody.faces["train"].shape == (8, 64, 64, 3)
    assert nobody.meshes["val"].shape == (2, 468, 2)
    assert (facts["drawn"], facts["pool"], facts["train"]) == (24, 10, 8)
    assert nobody.meshes["train"][0][POINTS] == pytest.approx(PLACES * 64 - 0.5, abs=6)
    again: U8 = np.array(nobody.faces["train"])
    fill.fill_nobody(maker, Teacher(), tmp_path, least=10, batch=6)  # type: ignore[arg-type]
    assert np.array_equal(again, Nobody.open(tmp_path).faces["train"])
