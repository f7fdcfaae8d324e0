"""Manifests: every mistake is named with its line; and the same treatment for both classes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from haechi.bench.manifest import read_manifest
from haechi.bench.treatment import Treatment
from haechi.errors import UsageError


def written(folder: Path, text: str, names: tuple[str, ...] = ("a.jpg", "b, c.jpg")) -> Path:
    for name in names:
        (folder / name).write_bytes(b"x")
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_defaults_and_order(tmp_path: Path) -> None:
    text = '\ufeffpath,label,kind,group,split\n"b, c.jpg",fake,gan,p1,val\na.jpg,real,,,train\n'
    manifest = read_manifest(written(tmp_path, text))
    first, second = manifest.items
    assert (first.fake, first.kind, first.source, first.extra) == (True, "gan", "", {"split": "val"})
    assert first.path == tmp_path / "b, c.jpg"
    assert second.group == second.id
    assert "p1" not in (first.id, first.group)
    assert len(manifest.sha256) == 64


def test_where_limit_and_root(tmp_path: Path) -> None:
    text = "path,label,split\na.jpg,real,val\nb.jpg,fake,val\nc.jpg,fake,train\n"
    path = written(tmp_path, text, ("a.jpg", "b.jpg", "c.jpg"))
    assert len(read_manifest(path, where={"split": "val"}).items) == 2
    assert len(read_manifest(path, where={"split": "val|train", "label": "fake"}).items) == 2
    assert [len(read_manifest(path, limit=2, seed=s).items) for s in range(3)] == [2, 2, 2]
    elsewhere = tmp_path / "lists"
    elsewhere.mkdir()
    moved = path.rename(elsewhere / "list.csv")
    assert len(read_manifest(moved, root=tmp_path).items) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na.jpg,real\n", r"line 1: there is no column 'path'"),
        ("path,label\na.jpg,REAL\n", r"line 2: the label is 'REAL'; write real or fake"),
        ("path,label\n,real\n", r"line 2: the path is empty"),
        ("path,label\na.jpg,real\nnot.jpg,real\n", r"line 3: there is no such file .*--root"),
        ("path,label\na.jpg,real\na.jpg,fake\n", r"line 3: the same path as in line 2"),
        ("path,label\nb, c.jpg,real\n", r"line 2: .*quote commas"),
        ("path,label,kind\na.jpg,real\n", r"line 2: .*fewer fields"),
        ("path,label\n", r"no line is left"),
        ("", r"there is no column"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_manifest(written(tmp_path, text))


def test_no_manifest_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_manifest(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(UsageError, match="UTF-8"):
        read_manifest(tmp_path / "picture.csv")


def test_treatment_is_the_same_law_whatever_came_in() -> None:
    rng = np.random.default_rng(0)
    sizes, tables = set(), set()
    for shape in ((250, 250, 3), (300, 768, 3), (90, 60, 3)):
        data = Treatment(90, "square:128").apply(rng.integers(0, 255, shape, dtype=np.uint8), "id")
        with Image.open(io.BytesIO(data)) as picture:
            sizes.add(picture.size)
            tables.add(str(getattr(picture, "quantization", None)))
    assert sizes == {(128, 128)}
    assert len(tables) == 1


def test_treatment_draws_the_size_by_the_item_and_keeps_pixels_when_cropping() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)

    def side(item: str) -> int:
        with Image.open(io.BytesIO(Treatment(0, "square:64-96").apply(rgb, item))) as picture:
            return picture.width

    drawn = {side(str(k)) for k in range(30)}
    assert drawn <= set(range(64, 97))
    assert len(drawn) > 10
    assert side("a") == side("a")
    with Image.open(io.BytesIO(Treatment(0, "crop:100").apply(rgb, "a"))) as picture:
        assert np.array_equal(np.array(picture), rgb[100:200, 50:150])


@pytest.mark.parametrize(
    "size", ["", "square", "square:8", "crop:64-96", "keep:3", "square:x", "square:90-80"]
)
def test_unknown_size_laws(size: str) -> None:
    with pytest.raises(UsageError, match="--size"):
        Treatment(0, size)
