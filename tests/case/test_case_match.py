"""Copies are found whatever was done to them on the way, and strangers are not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi.case import Case, Match, Skipped
from haechi.errors import UsageError
from haechi.types import U8


def soft(seed: int, height: int = 240, width: int = 320) -> U8:
    """Soft shapes and grain, u8 (H, W, 3), BGR."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (7, 9, 3)).astype(np.uint8)
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(wide + rng.normal(0, 6, wide.shape), 0, 255).astype(np.uint8)


def clip(path: Path, pictures: Iterable[U8]) -> Path:
    """A video that shows each picture for a second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5, (320, 240))
    for picture in pictures:
        for _ in range(5):
            writer.write(picture)
    writer.release()
    return path


def found(case: Case, folder: Path) -> dict[str, Match]:
    return {m.path.name: m for m in case.match(folder) if isinstance(m, Match)}


def skipped(case: Case, folder: Path) -> dict[str, str]:
    return {s.path.name: s.code for s in case.match(folder) if isinstance(s, Skipped)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "downloads" / "inner"
    made.mkdir(parents=True)
    return made


def test_copies_of_a_picture(case: Case, astronaut: Path, folder: Path) -> None:
    original = cv2.imread(str(astronaut))
    made = {
        "small.png": cv2.resize(original, (180, 180), interpolation=cv2.INTER_AREA),
        "mirrored.jpg": original[:, ::-1],
        "upside down.jpg": original[::-1, ::-1],
        "on its side.jpg": cv2.rotate(original, cv2.ROTATE_90_CLOCKWISE),
        "cropped.jpg": original[12:-28, 25:-10],
        "cropped and mirrored.jpg": original[5:-40, 8:-35][:, ::-1],
        "stranger.png": soft(1),
    }
    for name, picture in made.items():
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 55])
    (folder / "same.bin").write_bytes(astronaut.read_bytes())
    matches = found(case, folder.parent)
    assert set(matches) == {*made, "same.bin"} - {"stranger.png"}
    assert {m.entry for m in matches.values()} == {1}
    assert {name: matches[name].how for name in ("same.bin", "small.png", "cropped.jpg")} == {
        "same.bin": "same_file",
        "small.png": "picture",
        "cropped.jpg": "part",
    }
    assert {n for n, m in matches.items() if m.mirrored} == {"mirrored.jpg", "cropped and mirrored.jpg"}
    assert {n for n, m in matches.items() if m.turned} == {"upside down.jpg", "on its side.jpg"}
    assert all(m.distance <= 31 for m in matches.values())


def test_what_cannot_be_compared_is_named_with_the_reason(case: Case, folder: Path) -> None:
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 240, np.uint8))
    (folder / "notes.txt").write_text("hello")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    (folder / "threat.txt").write_bytes(b"they wrote: pay or else")
    (folder / "link.jpg").symlink_to(folder / "wall.png")
    assert skipped(case, folder) == {
        "wall.png": "skip_plain",
        "notes.txt": "skip_not_media",
        "broken.jpg": "skip_damaged",
    }
    assert found(case, folder)["threat.txt"].how == "same_file"
    with pytest.raises(UsageError, match="no such folder"):
        list(case.match(folder / "nowhere"))


def test_the_case_does_not_find_itself(case: Case) -> None:
    assert not found(case, case.folder.parent)


def test_videos_match_by_their_share_of_frames(tmp_path: Path, folder: Path) -> None:
    case = Case.create(tmp_path / "case", "t")
    pictures = [soft(i) for i in range(6)]
    entry = case.add(clip(tmp_path / "whole.avi", pictures))
    assert len(entry.fingerprints.moments) == 6
    clip(folder / "cut out.avi", pictures[2:4])
    clip(folder / "mirrored.avi", [p[:, ::-1] for p in pictures])
    clip(folder / "within another.avi", [*[soft(i) for i in range(10, 14)], *pictures])
    clip(folder / "one scene in common.avi", [*[soft(i) for i in range(20, 25)], pictures[0]])
    clip(folder / "other.avi", [soft(i) for i in range(30, 33)])
    cv2.imwrite(str(folder / "still.png"), pictures[4])
    matches = found(case, folder)
    assert set(matches) == {"cut out.avi", "mirrored.avi", "within another.avi", "still.png"}
    assert {m.how for m in matches.values()} == {"video"}
    assert matches["mirrored.avi"].mirrored
    assert matches["cut out.avi"].share == 1.0


def test_a_picture_is_found_within_a_video(tmp_path: Path, folder: Path) -> None:
    case = Case.create(tmp_path / "case", "t")
    cv2.imwrite(str(tmp_path / "a.png"), soft(3))
    case.add(tmp_path / "a.png")
    clip(folder / "slides.avi", [soft(i) for i in range(8)])
    match = found(case, folder)["slides.avi"]
    assert (match.entry, match.how, match.share) == (1, "video", 1 / 8)


def test_only_the_wanted_entries_are_looked_for(case: Case, astronaut: Path, folder: Path) -> None:
    (folder / "same.jpg").write_bytes(astronaut.read_bytes())
    assert [m.entry for m in case.match(folder, [2]) if isinstance(m, Match)] == []
    assert [m.entry for m in case.match(folder, [1]) if isinstance(m, Match)] == [1]


def test_a_minors_picture_is_found_by_its_hashes_alone(case: Case, astronaut: Path, folder: Path) -> None:
    case.add(astronaut, minor=True)
    cv2.imwrite(str(folder / "copy.jpg"), cv2.imread(str(astronaut))[10:, 15:])
    assert {m.entry for m in case.match(folder) if isinstance(m, Match)} == {1, 3}
