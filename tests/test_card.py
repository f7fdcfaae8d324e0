"""The card is the truth: what it asks for a network gets, and a card that does not fit is an error."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haechi import models
from haechi.detectors.swap import SwapDetector
from haechi.detectors.synthesis import SynthesisDetector
from haechi.errors import ModelError
from haechi.faces import FaceFinder, FaceRules
from haechi.models import Calibration, ModelCard
from haechi.models.feed import feed, middle, mirrored
from haechi.settings import Settings
from synthetic import MarkerNet, SureLook, media, texture, with_markers

SHIPPED = Settings(models_dir="", threads=1)
Change = Callable[[dict[str, Any]], object]
Edit = Callable[..., Settings]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the shipped models in which one card, or several, say something else, under a good seal."""

    def edit(name: str, change: Change, *others: str) -> Settings:
        folder = tmp_path / "models"
        shutil.copytree(models.folder(SHIPPED), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        for path in (folder / f"{n}.json" for n in (name, *others)):
            raw = json.loads(path.read_text(encoding="utf-8"))
            change(raw)
            path.write_text(json.dumps(models.seal(raw, folder)), encoding="utf-8")
        return Settings(models_dir=str(folder), threads=1)

    return edit


def card_of(name: str, change: Change) -> ModelCard:
    raw = json.loads(json.dumps(models.card(name, SHIPPED).raw))
    change(raw)
    return ModelCard.of(raw)


def test_a_card_that_asks_for_another_crop_gets_another_crop(
    edited: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    crop = {"size_px": 256, "side_over_mean_of_box_sides": 1.5}
    wide = edited("swap", lambda raw: raw["crop"].update(crop), "synthesis")
    fake, look = MarkerNet(), SureLook()
    monkeypatch.setattr(models, "load", lambda name, settings: look if name == "face_check" else fake)
    source = media([with_markers(texture(400, 400), [(120, 100, 220, 220)])])
    (usual,) = FaceFinder(SHIPPED).find(source)
    (asked,) = FaceFinder(wide).find(source)
    assert (usual.crops.shape, asked.crops.shape) == ((1, 224, 224, 3), (1, 256, 256, 3))
    before, after = (float(t.crop_boxes_xyxy[0, 2] - t.crop_boxes_xyxy[0, 0]) for t in (usual, asked))
    assert after == pytest.approx(1.5 * before)


def test_a_card_that_asks_for_another_piece_or_search_gets_it(edited: Edit) -> None:
    rules = FaceRules.of(edited("faces", lambda raw: raw["piece"].update(most_px=300)))
    assert rules.piece.most_px == 300
    faces = card_of("faces", lambda raw: raw["input"]["searched_at_px"].update(still=[256]))
    assert faces.needs_input().searched_at_px["still"] == (256,)


def test_face_networks_that_ask_for_different_crops_are_an_error(edited: Edit) -> None:
    with pytest.raises(ModelError, match="ask for different crops of a face"):
        FaceRules.of(edited("synthesis", lambda raw: raw["crop"].update(centre_down_in_box_heights=0.2)))


def test_a_card_that_asks_for_another_window_gets_another_window() -> None:
    crops = texture(224, 224)[None]
    card = card_of("swap", lambda raw: raw["input"].update(width_px=192, height_px=192))
    assert np.array_equal(middle(crops, card.needs_input()), crops[:, 16:208, 16:208])
    whole = card_of("swap", lambda raw: raw["input"].update(width_px=224, height_px=224, window="whole"))
    assert np.array_equal(middle(crops, whole.needs_input()), crops)


def test_a_map_covers_the_crop_whatever_its_window(edited: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = edited("swap", lambda raw: raw["input"].update(width_px=192, height_px=192))
    card = models.card("swap", narrow)

    class Fake:
        def run(self, x: Any) -> tuple[Any, ...]:
            assert x.shape == (1, 3, 192, 192)
            return np.zeros(1, np.float32), np.zeros((1, 24, 24), np.float32), np.zeros((1, 4), np.float32)

    fake = Fake()
    fake.card = card  # type: ignore[attr-defined]
    monkeypatch.setattr(models, "load", lambda name, settings: fake)
    maps = SwapDetector(narrow).score(texture(224, 224)[None]).maps
    assert maps is not None
    assert maps.shape == (1, 28, 28)


def test_colour_range_and_layout_are_those_of_the_card() -> None:
    rgb = np.stack([texture(8, 8)])
    usual = models.card("face_check", SHIPPED).needs_input()
    x = feed(rgb, usual)
    assert (x.dtype, x.shape) == (np.float32, (1, 3, 8, 8))
    assert np.array_equal(x, rgb.transpose(0, 3, 1, 2).astype(np.float32))
    bgr = card_of("face_check", lambda raw: raw["input"].update(colour="BGR")).needs_input()
    assert np.array_equal(feed(rgb, bgr), x[:, ::-1])
    unit = card_of("face_check", lambda raw: raw["input"].update(range=[-1, 1])).needs_input()
    assert feed(rgb, unit) == pytest.approx(x / 127.5 - 1, abs=1e-6)
    last = card_of("face_check", lambda raw: raw["input"].update(layout="NHWC")).needs_input()
    assert np.array_equal(feed(rgb, last), rgb.astype(np.float32))
    assert np.array_equal(mirrored(feed(rgb, last), last)[0], rgb[0, :, ::-1].astype(np.float32))
    assert np.array_equal(mirrored(x, usual), x[:, :, :, ::-1])


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("swap", {"width_px": 200}, "reads n x 3 x 208 x 208"),
        ("swap", {"layout": "NHWC"}, "which is not what its card says"),
        ("synthesis", {"width_px": 96, "height_px": 96}, "reads n x 3 x 196 x 196"),
        ("face_check", {"width_px": None, "height_px": None, "sides_multiple_of": 32}, "x 64 x 64"),
    ],
)
def test_a_card_whose_input_does_not_fit_its_network_is_an_error_on_loading(
    edited: Edit, name: str, change: dict[str, Any], says: str
) -> None:
    settings = edited(name, lambda raw: raw["input"].update(change))
    with pytest.raises(ModelError, match=says):
        models.load(name, settings)


def test_a_card_whose_outputs_do_not_fit_its_network_is_an_error_on_loading(edited: Edit) -> None:
    settings = edited("swap", lambda raw: raw["output"].pop("features"))
    with pytest.raises(ModelError, match="gives logit, map, features, where its card says logit, map"):
        SwapDetector(settings)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("swap", lambda raw: raw["input"].update(width_px="208"), "input.width_px must be a whole number"),
        ("swap", lambda raw: raw["input"].update(width_px=240), "input.width_px must be at most that of"),
        ("swap", lambda raw: raw["input"].update(window="corner"), "input.window is 'corner'"),
        ("swap", lambda raw: raw["input"].update(colour="YUV"), "this version knows RGB, BGR"),
        ("swap", lambda raw: raw["input"].update(range=[255, 0]), "the lower one first"),
        ("swap", lambda raw: raw["crop"].pop("size_px"), "crop.size_px is missing"),
        ("swap", lambda raw: raw["crop"].update(side_over_mean_of_box_sides=0), "at least 0.1"),
        ("swap", lambda raw: raw["output"].update(map_threshold=2), "output.map_threshold must be"),
        ("swap", lambda raw: raw["calibration"].update(bins=[]), "calibration.bins must be there"),
        ("swap", lambda raw: raw["calibration"]["bins"].pop(), "must reach to faces of 1000000 px"),
        ("swap", lambda raw: raw["calibration"]["bins"][0].update(slope=None), r"bins\[0\].slope is missing"),
        ("swap", lambda raw: raw["calibration"].update(genuine=[1, 0]), "genuine must ascend"),
        ("faces", lambda raw: raw["piece"].update(least_px=900), "must not be above most_px"),
        ("faces", lambda raw: raw["input"]["searched_at_px"].update(video=[640, 320]), "must ascend"),
        ("face_check", lambda raw: raw.update(certain="sure"), "certain must be a number"),
    ],
)
def test_a_card_that_does_not_hold_names_the_field(name: str, change: Change, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        card_of(name, change)


def test_what_a_detector_needs_of_its_card_is_missed_when_it_is_made(edited: Edit) -> None:
    with pytest.raises(ModelError, match="'synthesis' says nothing of 'calibration'"):
        SynthesisDetector(edited("synthesis", lambda raw: raw.pop("calibration")))


def test_cards_do_not_change() -> None:
    card = models.card("swap", SHIPPED)
    with pytest.raises(AttributeError):
        card.version = "2"  # type: ignore[misc]
    assert isinstance(card.calibration, Calibration)
    assert (card.data, card.terms, card.licence) != ((), "", "")
    assert models.read_card(models.folder(SHIPPED) / "swap.json") == card
