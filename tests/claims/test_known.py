"""Lists of known pictures, loaded by the user."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi.claims import Subject
from haechi.claims.known_files import KnownClaim, load_lists
from haechi.errors import UsageError
from haechi.media import open_media
from haechi.media.original import Original
from haechi.pdq import hash_rgb
from haechi.report import LANGUAGES
from haechi.report.messages import sentence
from haechi.settings import Settings
from haechi.types import U8, Claim


def scene(seed: int) -> U8:
    """A picture with something in it: u8 (240, 320, 3)."""
    rough = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def photograph(path: Path, rgb: U8, quality: int = 90) -> Path:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    path.write_bytes(data.tobytes())
    return path


def listed(path: Path, *pictures: U8) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["hash", "quality", "note"])
        rows.writerows([hash_rgb(rgb).hash, 100, "case, one"] for rgb in pictures)
    return path


def state(source: Path, known: Path | str) -> Claim | None:
    settings = Settings(known_files=str(known))
    said = KnownClaim(settings).state(Subject(Original.of(source), open_media(source, settings)))
    for reason in () if said is None else (said.reason, *said.facts):
        for lang in LANGUAGES:
            assert "?" not in sentence(reason, lang)
    return said


def test_without_a_list_nothing_is_said(tmp_path: Path) -> None:
    assert state(photograph(tmp_path / "a.jpg", scene(1)), "") is None


def test_a_copy_is_found_on_the_list_that_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    listed(folder / "police.csv", *(scene(i) for i in range(20, 40)), scene(1))
    listed(folder / "other.csv", *(scene(i) for i in range(40, 60)))
    smaller = np.asarray(cv2.resize(scene(1), (200, 150), interpolation=cv2.INTER_AREA), np.uint8)
    said = state(photograph(tmp_path / "a.jpg", smaller, quality=60), folder)
    assert said is not None
    assert (said.outcome, said.reason.code) == ("answered", "known_match")
    (fact,) = said.facts
    assert fact.params["list"] == "police"
    assert 0 <= int(fact.params["distance"]) <= 31
    assert said.reason.params == {"n": 41}


def test_another_picture_is_not_found(tmp_path: Path) -> None:
    said = state(photograph(tmp_path / "a.jpg", scene(2)), listed(tmp_path / "list.csv", scene(1), scene(3)))
    assert said is not None
    assert (said.outcome, said.reason.code, said.facts) == ("answered", "known_none", ())


def test_a_picture_with_nothing_in_it_is_not_compared(tmp_path: Path) -> None:
    plain = np.full((240, 320, 3), 128, np.uint8)
    said = state(photograph(tmp_path / "a.jpg", plain), listed(tmp_path / "list.csv", plain))
    assert said is not None
    assert (said.outcome, said.reason.code) == ("unread", "known_plain")


def test_a_video_tells_when(tmp_path: Path) -> None:
    path = tmp_path / "v.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 240))
    for i in range(40):
        writer.write(scene(5 if i < 20 else 6)[..., ::-1])
    writer.release()
    said = state(path, listed(tmp_path / "list.csv", scene(6)))
    assert said is not None
    assert [f.code for f in said.facts] == ["known_on_list_at"]
    assert 2.0 <= float(str(said.facts[0].params["time"])) <= 4.0


def test_lists_as_platforms_write_them(tmp_path: Path) -> None:
    digits = hash_rgb(scene(1)).hash
    path = tmp_path / "x.csv"
    path.write_bytes(b'\xef\xbb\xbfid,pdq\r\n"7, a", ' + digits.upper().encode() + b" \r\n\r\n8,short\r\n")
    assert load_lists(str(path)) == [("x", [digits])]


def test_other_hashes_of_as_many_digits_are_not_taken_for_pdq(tmp_path: Path) -> None:
    pdq, sha = hash_rgb(scene(1)).hash, "0a" * 32
    path = tmp_path / "x.csv"
    path.write_text(f"sha256,PDQ hash\n{sha},{pdq}\n")
    assert load_lists(str(path)) == [("x", [pdq])]
    path.write_text(f"indicator,type\n{sha},HASH_SHA256\n{pdq},HASH_PDQ\n")
    assert load_lists(str(path)) == [("x", [pdq])]
    path.write_text(f"{sha},{pdq}\n")
    with pytest.raises(UsageError, match="call its column pdq"):
        load_lists(str(path))


@pytest.mark.parametrize("content", [None, b"", b"hash\nno hash here\n", b"\x00\xff" * 50])
def test_a_list_that_cannot_be_used_is_an_error_of_usage(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="HAECHI_KNOWN_FILES"):
        KnownClaim(Settings(known_files=str(path)))


def test_an_empty_folder_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no list of known files"):
        KnownClaim(Settings(known_files=str(tmp_path)))
