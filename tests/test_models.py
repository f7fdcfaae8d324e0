"""Cards and weights: what is whole loads, what is missing or altered never does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haechi import models
from haechi.errors import ModelError
from haechi.settings import Settings

# A network of one node (output = input + input), written out by hand in ONNX's protocol buffers, so that
# these tests need no tool that exports networks.


def _message(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2, len(body)]) + body


INPUT = {"sides_multiple_of": 1, "layout": "NCHW", "colour": "RGB", "range": [0, 255]}
"""What ``doubling_network`` reads."""


def doubling_network(*sides: int) -> bytes:
    """ONNX bytes of y = x + x for float pictures (n, 3, height, width), of any size or of ``sides``."""
    node = _message(1, b"x") + _message(1, b"x") + _message(2, b"y") + _message(4, b"Add")
    sizes = [b"\x08" + bytes([n]) for n in (3, *sides)] + [_message(2, b"h"), _message(2, b"w")]
    shape = _message(2, b"".join(_message(1, dim) for dim in (_message(2, b"n"), *sizes[:3])))
    tensor = _message(2, _message(1, b"\x08\x01" + shape))
    graph = (
        _message(1, node)
        + _message(2, b"g")
        + _message(11, _message(1, b"x") + tensor)
        + _message(12, _message(1, b"y") + tensor)
    )
    return b"\x08\x08" + _message(7, graph) + _message(8, b"\x0a\x00\x10\x0d")


def write_card(folder: Path, name: str, sides: tuple[int, ...] = (), **changes: Any) -> Path:
    """A sealed card of fitted numbers, or of the network when ``file`` is given."""
    raw: dict[str, Any] = {"name": name, "version": "1", "task": "test", "licence": "Apache-2.0"}
    if "file" in changes:
        (folder / changes["file"]).write_bytes(doubling_network(*sides))
        raw |= {"input": INPUT, "output": {"y": "twice x"}}
    else:
        raw["parameters"] = {"b": [1, 2.5], "a": "é"}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(models.seal(raw | changes, folder)), encoding="utf-8")
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Settings:
    """A folder with every needed model: networks where networks belong."""
    for name in models.NAMES:
        write_card(
            tmp_path, name, **({"file": f"{name}.onnx"} if name in ("faces", "face_check", "swap") else {})
        )
    return Settings(models_dir=str(tmp_path), threads=1)


def test_a_whole_network_loads_once_and_runs(shelf: Settings) -> None:
    model = models.load("faces", shelf)
    (doubled,) = model.run(np.ones((1, 3, 2, 2), np.float32))
    assert doubled.tolist() == np.full((1, 3, 2, 2), 2.0).tolist()
    assert models.load("faces", shelf) is model


def test_a_card_of_numbers_gives_its_parameters_and_cannot_be_run(shelf: Settings) -> None:
    model = models.load("verdict", shelf)
    assert model.card.parameters == {"b": [1, 2.5], "a": "é"}
    with pytest.raises(ModelError, match="cannot be run"):
        model.run(np.zeros(1, np.float32))


def test_cards_come_in_the_order_of_a_check_then_others(shelf: Settings) -> None:
    write_card(Path(shelf.models_dir), "another")
    assert [card.name for card in models.cards(shelf)] == [*models.NAMES, "another"]


def test_one_flipped_bit_in_the_weights_is_an_error(shelf: Settings) -> None:
    weights = Path(shelf.models_dir, "swap.onnx")
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelError, match=r"differs from its card.*Reinstall"):
        models.load("swap", shelf)
    assert [line.name for line in models.verify(shelf) if not line.ok] == ["swap"]


def test_weights_that_are_gone_are_an_error(shelf: Settings) -> None:
    Path(shelf.models_dir, "faces.onnx").unlink()
    with pytest.raises(ModelError, match=r"weights of the model 'faces' are missing.*Reinstall"):
        models.load("faces", shelf)


def test_a_card_that_is_gone_is_an_error_and_is_listed_by_verify(shelf: Settings) -> None:
    Path(shelf.models_dir, "verdict.json").unlink()
    with pytest.raises(ModelError, match="'verdict' is missing"):
        models.cards(shelf)
    bad = [line for line in models.verify(shelf) if not line.ok]
    assert [(line.name, line.card) for line in bad] == [("verdict", None)]


@pytest.mark.parametrize("key", ["version", "parameters", "limits"])
def test_an_edited_card_is_an_error(shelf: Settings, key: str) -> None:
    path = Path(shelf.models_dir, "flicker.json")
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw[key] = {"version": "2", "parameters": {"a": 3}, "limits": ["none"]}[key]
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(ModelError, match="altered"):
        models.load("flicker", shelf)


@pytest.mark.parametrize("name", ["swap", "flicker"])
def test_a_card_without_its_seal_is_an_error(shelf: Settings, name: str) -> None:
    path = Path(shelf.models_dir, f"{name}.json")
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["card_sha256"]
    path.write_text(json.dumps(raw | {"threshold": 0.99}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"lacks one of .*card_sha256"):
        models.load(name, shelf)
    assert [line.name for line in models.verify(shelf) if not line.ok] == [name]


def test_parameters_that_do_not_fit_their_hash_are_an_error_even_under_a_seal(shelf: Settings) -> None:
    path = Path(shelf.models_dir, "flicker.json")
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["parameters"]["a"] = "changed"
    del raw["card_sha256"]
    path.write_text(json.dumps({**raw, "card_sha256": models.parameters_sha256(raw)}), encoding="utf-8")
    with pytest.raises(ModelError, match="differs from its card"):
        models.load("flicker", shelf)


def test_a_card_says_by_itself_what_it_lacks(shelf: Settings) -> None:
    card = models.load("faces", shelf).card
    with pytest.raises(ModelError, match=r"'faces' says nothing of 'threshold'.*Reinstall"):
        card.mark("threshold")
    for needs in (card.needs_crop, card.needs_piece, card.needs_calibration):
        with pytest.raises(ModelError, match="'faces' says nothing of"):
            needs()
    with pytest.raises(ModelError, match="'flicker' says nothing of 'weights'"):
        models.load("flicker", shelf).card.parameters["weights"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[" * 100_000, '{"name": NaN}', '{"name": "\\ud800"}', "\xff", "7"],
    ids=["empty", "list", "bare", "null", "deep", "nan", "surrogate", "latin", "number"],
)
def test_a_damaged_card_is_an_error_and_never_a_traceback(shelf: Settings, text: str) -> None:
    Path(shelf.models_dir, "swap.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match="Reinstall"):
        models.load("swap", shelf)


def test_a_card_cannot_point_outside_its_folder(
    shelf: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "w.onnx"
    elsewhere.write_bytes(doubling_network())
    write_card(Path(shelf.models_dir), "swap", file=str(elsewhere))
    with pytest.raises(ModelError, match="outside its folder"):
        models.load("swap", shelf)


def test_weights_that_hash_well_but_are_no_network_are_an_error(shelf: Settings) -> None:
    folder = Path(shelf.models_dir)
    path = write_card(folder, "swap", file="swap.onnx")
    (folder / "swap.onnx").write_bytes(b"not a network")
    path.write_text(
        json.dumps(models.seal(json.loads(path.read_text(encoding="utf-8")), folder)), encoding="utf-8"
    )
    with pytest.raises(ModelError, match="cannot be loaded"):
        models.load("swap", shelf)


def test_telemetry_of_the_runtime_is_off(shelf: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    models.load("swap", shelf)
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_logit_of_any_size_is_a_probability() -> None:
    """A map of a network that was sure lay at -90, and warned of an overflow."""
    from haechi.models.feed import probability

    sure = probability(np.array([-1e4, -90, -2, 0, 2, 90, 1e4], np.float32))
    assert sure.dtype == np.float32
    assert sure == pytest.approx([0, 0, 0.1192, 0.5, 0.8808, 1, 1], abs=1e-4)
