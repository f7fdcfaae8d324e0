"""From lists of files to packs and batches: only what a list names, no copies across splits, one law."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haechi.errors import UsageError  # noqa: E402
from haechi_lab.data import corpus, packs  # noqa: E402
from haechi_lab.data.corpus import Row  # noqa: E402
from haechi_lab.data.mixture import Mixture  # noqa: E402
from haechi_lab.data.packs import Face, Pack, Reader  # noqa: E402
from haechi_lab.data.pairs import PAIRS  # noqa: E402
from meshes import mesh  # noqa: E402


def _list(folder: Path, name: str, header: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def test_rows_say_what_a_list_leaves_to_the_source(tmp_path: Path) -> None:
    lists = _list(tmp_path, "dfdc-more", "file,group,original,width_px", "a.jpg,p1,b,155")
    (row,) = corpus.rows_of(corpus.source("dfdc-more"), lists)
    assert row == Row("faces_224/a.jpg", "dfdc-more", "fake", "swap", "train", "p1", "crop", "b")


def test_genuine_rows_of_a_forged_source_are_genuine(tmp_path: Path) -> None:
    lists = _list(tmp_path, "openforensics", "file,label,split", "r.jpg,real,val", "f.jpg,fake,train")
    real, fake = corpus.rows_of(corpus.source("openforensics"), lists)
    assert (real.kind, real.split, fake.kind, fake.split) == ("genuine", "val", "blended", "train")
    assert real.group != fake.group


def test_every_face_of_a_sheet_is_a_group_of_its_own(tmp_path: Path) -> None:
    lists = _list(
        tmp_path, "sfhq-t2i", "sheet,x0,y0,x1,y1,split", "s.jpg,0,0,9,9,train", "s.jpg,9,0,18,9,val"
    )
    first, second = corpus.rows_of(corpus.source("sfhq-t2i"), lists)
    assert first.box == (0, 0, 9, 9)
    assert first.group != second.group


def test_a_line_without_a_split_is_refused(tmp_path: Path) -> None:
    lists = _list(tmp_path, "openforensics", "file,label,split", "r.jpg,real,test")
    with pytest.raises(UsageError, match="split 'test'"):
        list(corpus.rows_of(corpus.source("openforensics"), lists))


def test_a_missing_repository_is_named_with_its_commit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"3bcf12f.*ARYAHARIDAS06\+DEEPFAKE"):
        corpus.folder_of(tmp_path, corpus.source("openforensics"))


def test_a_sheet_is_cut_by_its_box(tmp_path: Path) -> None:
    board = np.zeros((8, 16, 3), np.uint8)
    board[:, 8:] = (10, 20, 30)
    cv2.imwrite(str(tmp_path / "s.png"), board[:, :, ::-1])
    row = Row("s.png", "sfhq-t2i", "fake", "generated", "train", "g", "picture", box=(8, 0, 16, 8))
    assert (Reader(tmp_path)(row) == (10, 20, 30)).all()


@pytest.mark.parametrize("content", [b"", b"<?php"])
def test_what_is_no_picture_in_a_repository_is_passed_over_and_what_is_missing_is_not(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "e.jpg").write_bytes(content)
    row = Row("e.jpg", "stylegan2-512", "fake", "generated", "train", "g", "picture")
    assert Reader(tmp_path)(row) is None
    (tmp_path / "e.jpg").unlink()
    with pytest.raises(UsageError, match="missing"):
        Reader(tmp_path)(row)


def _noise(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (14, 14, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (224, 224), interpolation=cv2.INTER_CUBIC), np.uint8)


def _filled(
    folder: Path, pictures: dict[str, tuple[np.ndarray, str]], least_sharpness: float = 0.0
) -> list[Face]:
    """A pack of pictures by name: (the crop that the cutter gives, split)."""
    rows = [
        Row(n, "s", "real", "genuine", "val" if s == "val" else "train", n, "picture")
        for n, (_, s) in pictures.items()
    ]
    cutter: Callable[..., object] = lambda rgb, row: (rgb, mesh(), 224.0)  # noqa: E731
    packs._fill(folder, rows, lambda row: pictures[row.file][0], cutter, lambda _: None, least_sharpness)  # type: ignore[arg-type]
    return Pack.open(folder).faces


def test_a_copy_of_a_validation_picture_is_not_trained_on(tmp_path: Path) -> None:
    copy = cv2.GaussianBlur(_noise(1), (0, 0), 1.0)
    faces = _filled(
        tmp_path / "s", {"a": (_noise(1), "val"), "b": (copy, "train"), "c": (_noise(2), "train")}
    )
    assert [f.file for f in faces] == ["a", "c"]
    assert (Pack.open(tmp_path / "s").crops[1] == _noise(2)).all()


def test_blurred_crops_are_left_out_where_a_source_wants_it(tmp_path: Path) -> None:
    grey = np.full((224, 224, 3), 90, np.uint8)
    faces = _filled(tmp_path / "s", {"a": (_noise(1), "train"), "b": (grey, "train")}, least_sharpness=0.5)
    assert [f.file for f in faces] == ["a"]


def test_a_face_enlarged_for_its_crop_is_not_called_blurred() -> None:
    sharp = np.random.default_rng(3).integers(0, 256, (56, 56)).astype(np.uint8)
    large = np.asarray(cv2.resize(sharp, (224, 224), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert packs._sharpness(packs._own_size(large, 56.0)) > 10 * packs._sharpness(large)


def _pack(name: str, faces: list[tuple[str, str, str, int]], split: str = "train") -> Pack:
    """Faces (file, label, kind, grey) with a mesh each; the grey tells in a batch where a picture is from."""
    rng = np.random.default_rng(len(name))
    crops = np.stack([np.clip(rng.normal(g, 3, (224, 224, 3)), 0, 255).astype(np.uint8) for *_, g in faces])
    table = [
        Face(
            f,
            name,
            label,
            kind,
            split,
            f,
            f.replace("fake", "real").partition(".")[0] if kind == "swap" else "",
            200.0,
            50.0,
            float(g),
        )
        for f, label, kind, g in faces
    ]
    return Pack(name, table, crops, np.stack([mesh()] * len(faces)).astype(np.float16))


@pytest.fixture
def two_sources() -> list[Pack]:
    scenes = [
        [(f"real{i}.jpg", "real", "genuine", 60 + 4 * i), (f"fake{i}.jpg", "fake", "swap", 70 + 4 * i)]
        for i in range(8)
    ]
    photos = [
        [(f"r{i}.jpg", "real", "genuine", 180), (f"f{i}.jpg", "fake", "blended", 200)] for i in range(8)
    ]
    drawn = [[(f"n{i}.jpg", "fake", "generated", 230)] for i in range(20)]
    return [
        _pack("dfdc", [face for two in scenes for face in two]),
        _pack("openforensics", [face for two in photos for face in two]),
        _pack("sd21", [face for one in drawn for face in one]),
    ]  # fmt: skip


def test_a_swap_stands_beside_its_own_original(two_sources: list[Pack]) -> None:
    data = Mixture(two_sources, families={"self_blend": 1.0})
    for fake in data._fakes["swap"]["dfdc"]:
        real = data._beside(fake, "dfdc", np.random.default_rng(0))
        assert data._face(real).file == data._face(fake).file.replace("fake", "real")


def test_a_batch_is_genuine_and_forged_in_turn_with_pairs_first(two_sources: list[Pack]) -> None:
    batch = Mixture(two_sources, families={"self_blend": 1.0}).batch(0, np.random.default_rng(5))
    assert batch["y"].tolist() == [0.0, 1.0] * (len(batch["y"]) // 2)
    assert batch["known"][: 2 * PAIRS].all()
    assert (batch["mask"][1 : 2 * PAIRS : 2].amax((1, 2)) > 0).all()
    assert not batch["known"][2 * PAIRS + 1 :: 2].any(), "where a real forgery was made is not known"


def test_a_source_left_out_is_nowhere(two_sources: list[Pack]) -> None:
    data = Mixture(two_sources, without=["openforensics"], families={"self_blend": 1.0})
    used = {f.source for _, f in data._own_faces()}
    assert used == {"dfdc", "sd21"}
    assert not data._fakes["blended"]
    assert len(data.batch(0, np.random.default_rng(1))["y"]) > 2 * PAIRS


def test_a_source_that_comes_under_two_names_is_left_out_under_both(two_sources: list[Pack]) -> None:
    again = _pack("sd21-faces", [(f"m{i}.jpg", "fake", "generated", 240) for i in range(4)])
    assert Mixture([*two_sources, again], without=["sd21"]).sources == ["dfdc", "openforensics"]
    assert Mixture([*two_sources, again], without=["sd21-faces"]).sources == ["dfdc", "openforensics"]


def test_validation_faces_are_not_trained_on(two_sources: list[Pack]) -> None:
    held = _pack("lfw", [("v.jpg", "real", "genuine", 100)], split="val")
    assert all(f.source != "lfw" for _, f in Mixture([*two_sources, held])._own_faces())


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    faces = _filled(tmp_path / "s", {"a": (_noise(1), "val"), "b": (_noise(2), "train")})
    with (tmp_path / "s" / "table.csv").open(newline="") as lines:
        assert [line["file"] for line in csv.DictReader(lines)] == [f.file for f in faces]
    with pytest.raises(UsageError, match="haechi train data"):
        Pack.open(tmp_path / "none")
