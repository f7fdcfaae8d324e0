"""From prepared stills to coded clips: both classes of a pair share all but the forgery, and what was made
once is not made again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from haechi.errors import UsageError
from haechi.lab import clip_data
from haechi.lab.clip_data import MAP_FACTS, PLANNED, STILLS, describe, listed, make
from haechi.lab.forge.reconstruct import file_at
from meshes import SIDE, face, mesh


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run with four genuine faces and two swapped ones, drawn by code; one was reconstructed."""
    rows = [
        {
            "path": f"{s}/{n}.png",
            "source": s,
            "split": "train",
            "group": f"{s}{n}",
            "label": label,
            "kind": "",
        }
        for n, (s, label) in enumerate([*((s, "real") for s in STILLS), ("dfdc", "fake"), ("dfdc", "fake")])
    ]
    folder = tmp_path / "prepared"
    folder.mkdir()
    square = {"crop": [0.0, 0.0, float(SIDE), float(SIDE)]}
    (folder / "table.json").write_text(json.dumps([{**r, **square} for r in rows]))
    np.save(folder / "crops.npy", np.stack([face(n) for n in range(len(rows))]))
    np.save(folder / "mesh.npy", np.stack([mesh()] * len(rows)))
    drawn = file_at(tmp_path / "reconstructed", str(rows[0]["path"]))
    drawn.parent.mkdir()
    cv2.imwrite(str(drawn), cv2.medianBlur(face(0), 5))
    return tmp_path


def test_a_pair_shares_its_coding_and_is_made_once(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("clips are coded by ffmpeg")
    monkeypatch.setattr(clip_data, "FRAMES", 8)
    clips = make(out, {"train": len(PLANNED)}, log=lambda _: None)
    assert listed(out) == clips
    assert [c.forged for c in clips] == [False, True] * len(PLANNED)
    assert tuple(c.family for c in clips[::2]) == PLANNED
    for genuine, forged in zip(clips[::2], clips[1::2], strict=True):
        assert (genuine.crf, genuine.fps, genuine.mode) == (forged.crf, forged.fps, forged.mode)
        assert (genuine.row == forged.row) == (genuine.family != "face_swap")
    files = sorted((out / "temporal" / "clips").iterdir())
    assert [f.stem for f in files] == sorted(c.name for c in clips)
    before = [f.stat().st_mtime_ns for f in files]
    assert make(out, {"train": len(PLANNED)}, log=lambda _: None) == clips
    assert [f.stat().st_mtime_ns for f in files] == before


def test_stills_too_dark_for_the_product_make_no_clip(out: Path) -> None:
    np.save(out / "prepared" / "crops.npy", np.zeros((6, SIDE, SIDE, 3), np.uint8))
    with pytest.raises(UsageError, match="bright"):
        make(out, {"train": 1})


def test_a_crop_is_described_by_where_its_map_is_bright() -> None:
    maps = np.full((2, 28, 28), 0.01, np.float32)
    maps[1, :7, 21:] = 0.9
    told = describe(np.array([1.5, -2.0]), maps, np.ones((2, 5), np.float32))
    assert told.dtype == np.float32
    assert told.shape == (2, 1 + MAP_FACTS + 5)
    assert told[:, 0].tolist() == [1.5, -2.0]
    assert told[0, 1:7] == pytest.approx([0.01, 0.01, 0.01, 0, 0, 0], abs=1e-5)
    mean, tenth, brightest, share, x, y = told[1, 1:7]
    assert mean < tenth
    assert (brightest, share) == pytest.approx((0.9, 1 / 16))
    assert x > 0.5 > -0.5 > y, "to the right and above"
