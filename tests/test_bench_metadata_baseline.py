"""The null model finds what the file tells, and only that."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from haechi.bench import metadata_baseline as null
from haechi.types import U8


def picture(rng: np.random.Generator, side: int = 64) -> U8:
    small = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


def saved(rgb: U8, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, form, **options)
    return buffer.getvalue()


def auc_of(files: list[bytes], labels: list[int]) -> dict[str, float]:
    groups = [str(k) for k in range(len(files))]
    found = null.null_figures([null.file_facts(f) for f in files], labels, groups, resamples=50)
    return {k: float(v.value) for k, v in found.items() if v.value is not None}


def test_same_law_scores_at_chance() -> None:
    rng = np.random.default_rng(0)
    files = [saved(picture(rng), quality=90) for _ in range(300)]
    found = auc_of(files, [k % 2 for k in range(300)])
    assert found["header"] == 0.5
    assert 0.35 < found["all"] < 0.65


@pytest.mark.parametrize(
    "leak",
    [
        {"quality": 80},
        {"subsampling": 0},
        {"progressive": True},
        {"exif": Image.Exif().tobytes() + b"12345678"},
        {"side": 72},
        {"form": "PNG"},
    ],
)
def test_finds_each_leak(leak: dict[str, object]) -> None:
    rng = np.random.default_rng(1)
    usual: dict[str, object] = {"quality": 90, "side": 64, "form": "JPEG"}
    files = []
    for k in range(80):
        options = usual | (leak if k % 2 else {})
        side, form = options.pop("side"), options.pop("form")
        assert isinstance(side, int)
        files.append(saved(picture(rng, side), str(form), **options))
    assert auc_of(files, [k % 2 for k in range(80)])["header"] > 0.95


def test_finds_one_size_among_smaller_and_larger() -> None:
    rng = np.random.default_rng(2)
    files = [saved(picture(rng, 64 if k % 2 else int(rng.choice([48, 80]))), quality=90) for k in range(120)]
    assert auc_of(files, [k % 2 for k in range(120)])["header"] > 0.95


def test_matching_leaves_nothing_to_find() -> None:
    rng = np.random.default_rng(3)
    labels = [k % 2 for k in range(600)]
    # Fakes come at a higher quality, but the two laws overlap.
    files = [saved(picture(rng), quality=int(np.clip(rng.normal(70 + 12 * y, 8), 30, 95))) for y in labels]
    facts, groups = [null.file_facts(f) for f in files], [str(k) for k in range(600)]
    before = null.null_figures(facts, labels, groups, resamples=20)["all"].value
    kept = null.matched(facts, labels, groups)
    chosen = [facts[k] for k in kept], [labels[k] for k in kept], [groups[k] for k in kept]
    after = null.null_figures(*chosen, resamples=20)["all"].value
    assert before is not None
    assert after is not None
    assert before > 0.75
    assert 0.4 < after < 0.6
    assert sum(chosen[1]) * 2 == len(kept) > 100


def test_matching_keeps_several_reals_for_each_of_a_few_fakes() -> None:
    rng = np.random.default_rng(5)
    labels = [int(k < 24) for k in range(500)]
    facts = [{"bytes_log": float(rng.normal(0.4 * y))} for y in labels]
    kept = null.matched(facts, labels, [str(k) for k in range(500)])
    fakes = sum(labels[k] for k in kept)
    assert fakes > 12
    assert len(kept) - fakes >= 4 * fakes


def test_a_group_never_helps_to_judge_itself() -> None:
    rng = np.random.default_rng(4)
    # Each group has its own size and label; a model that saw the group would know the label.
    groups = [str(k // 4) for k in range(200)]
    x = np.repeat(rng.normal(size=(50, 30)), 4, axis=0)
    labels = np.repeat(rng.integers(0, 2, 50), 4)
    scores = null.cross_validated(x, labels, groups)
    fakes, reals = scores[labels == 1], scores[labels == 0]
    assert abs((fakes[:, None] > reals[None]).mean() - 0.5) < 0.2


def test_logistic_regression_finds_the_truth() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20000, 2))
    y = rng.random(20000) < 1 / (1 + np.exp(-(1.5 * x[:, 0] - 0.5 * x[:, 1])))
    assert null.fit_logistic(x, y)[:2] == pytest.approx([1.5, -0.5], abs=0.1)
    apart = null.fit_logistic(np.array([[-1.0], [1.0]] * 10), np.array([False, True] * 10))
    assert np.isfinite(apart).all()


def test_video_and_rubbish(tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for _ in range(5):
        writer.write(np.zeros((48, 64, 3), dtype=np.uint8))
    writer.release()
    facts = null.file_facts(clip)
    assert (facts["format"], facts["width_px"], facts["height_px"]) == ("video", 64, 48)
    assert null.file_facts(b"")["format"] == "unknown"
    assert null.file_facts(b"\xff\xd8\xff rubbish")["format"] == "unknown"
