"""What a source lists: every file once, whatever its name is made of."""

from __future__ import annotations

import csv
import io
import os
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haechi.batch.items import Item
from haechi.batch.sources import Kind, Reading, open_source
from haechi.errors import DamagedFile, NotAFile, UsageError
from haechi.media import open_media
from haechi.settings import Settings

#: Names of files as Linux allows them, line breaks, quotes and bytes that are no UTF-8 among them.
NAMES = st.binary(min_size=1, max_size=20).map(lambda name: name.replace(b"\0", b"\n")).filter(
    lambda name: not name.startswith(b"/")
) | st.text(st.sampled_from("a,\"'\n\r\t é照\udcff\u202e"), min_size=1, max_size=8).map(os.fsencode)


def listed(source: str | Path, scratch: Path, **how: Any) -> list[Item]:
    scratch.mkdir(exist_ok=True)
    reading = Reading(scratch, 1000, **how)
    return list(open_source(str(source), reading).items(lambda _item: True))


def paths(source: str | Path, scratch: Path, **how: Any) -> list[str]:
    return [item.path for item in listed(source, scratch, **how)]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, one of them in a folder in the folder, and a link."""
    place = tmp_path / "pictures"
    (place / "inner").mkdir(parents=True)
    for name in ("b.jpg", "a.jpg", "inner/.c.png"):
        (place / name).write_bytes(name.encode())
    (place / "link.jpg").symlink_to(place / "a.jpg")
    return place


def test_a_folder_lists_all_regular_files_in_it_but_the_run(folder: Path, scratch: Path) -> None:
    own = folder / "run"
    own.mkdir()
    (own / "rows-00000001.jsonl").touch()
    expected = [str(folder / name) for name in ("a.jpg", "b.jpg", "inner/.c.png")]
    assert paths(folder, scratch, skip=own) == expected
    assert open_source(str(folder), Reading(scratch, 1, skip=own)).count() == 3


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_told(folder: Path, scratch: Path) -> None:
    errors: list[OSError] = []
    (folder / "inner").chmod(0)
    assert len(paths(folder, scratch, unlisted=errors.append)) == 2
    (folder / "inner").chmod(0o700)
    assert [error.filename for error in errors] == [str(folder / "inner")]


def test_a_path_is_the_same_item_however_it_is_spelled(
    folder: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    ids = {item.id for item in listed("pictures", scratch)}
    assert ids == {item.id for item in listed(folder, scratch)}
    assert ids == {item.id for item in listed("./pictures/", scratch)}
    assert len(ids) == 3


def test_a_glob_lists_files_and_no_folders(folder: Path, scratch: Path) -> None:
    assert paths(folder / "**" / "*.png", scratch) == [str(folder / "inner" / ".c.png")]
    assert sorted(paths(folder / "*", scratch, skip=folder / "inner")) == [
        str(folder / name) for name in ("a.jpg", "b.jpg", "link.jpg")
    ]


def test_a_name_with_brackets_that_is_there_is_no_glob(tmp_path: Path, scratch: Path) -> None:
    place = tmp_path / "pictures [2020]"
    place.mkdir()
    (place / "a.jpg").touch()
    assert paths(place, scratch) == [str(place / "a.jpg")]


def test_a_list_has_a_path_a_line_from_its_own_folder_on(tmp_path: Path, scratch: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"\xef\xbb\xbfa.jpg\r\n\n/far/b \xff.jpg \n  c.jpg\nlast")
    far = Path(os.fsdecode(b"/far/b \xff.jpg "))
    names = [tmp_path / "a.jpg", far, tmp_path / "  c.jpg", tmp_path / "last"]
    assert paths(file, scratch) == [str(name) for name in names]


def test_standard_input_is_a_list_from_the_current_folder_on(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_bytes(b"a\nb\n")
    monkeypatch.setattr("sys.stdin", stdin := (tmp_path / "list").open())
    source = open_source("-", Reading(scratch, 1))
    assert source.count() is None
    assert [item.path for item in source.items(lambda _item: True)] == [str(tmp_path / n) for n in "ab"]
    stdin.close()
    with pytest.raises(NotAFile, match="no standard input"):
        listed("-", scratch)


@pytest.mark.parametrize(("by_zero", "first"), [(False, b"/a\n"), (True, b"/a\0")])
def test_paths_of_standard_input_are_taken_as_they_come(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, by_zero: bool, first: bytes
) -> None:
    """A program that lists files for days is not waited for to its end."""
    reader, writer = os.pipe()
    with io.TextIOWrapper(os.fdopen(reader, "rb")) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        os.write(writer, first)
        items = open_source("-", Reading(scratch, 1, by_zero=by_zero)).items(lambda _item: True)
        assert next(items).path == "/a"
        items.close()  # type: ignore[attr-defined]
        os.close(writer)


def name_at(base: Path, name: bytes) -> str:
    return str(base / os.fsdecode(name))


@given(st.lists(NAMES, max_size=5))
@example([b'"a, b"\n', b"\xff\r\n", b"c\r"])
def test_any_name_goes_through_a_list_with_zero_bytes(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    base = tmp_path_factory.mktemp("zero")
    (base / "list.txt").write_bytes(b"".join(name + b"\0" for name in names))
    assert paths(base / "list.txt", base / "s", by_zero=True) == [name_at(base, name) for name in names]


@given(st.lists(NAMES, max_size=5))
def test_any_name_without_a_line_break_goes_through_a_list(
    tmp_path_factory: pytest.TempPathFactory, names: list[bytes]
) -> None:
    base = tmp_path_factory.mktemp("lines")
    fit = [name for name in names if b"\n" not in name and not name.endswith(b"\r")]
    fit = [name for name in fit if not name.startswith(b"\xef\xbb\xbf")]
    (base / "list.txt").write_bytes(b"".join(name + b"\n" for name in fit))
    assert paths(base / "list.txt", base / "s") == [name_at(base, name) for name in fit]


@given(st.lists(st.tuples(NAMES, st.text(max_size=5)), max_size=5))
def test_any_name_goes_through_a_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[bytes, str]]
) -> None:
    base = tmp_path_factory.mktemp("csv")
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["remark", "file"])
    clean = [(os.fsdecode(name), remark.replace("\0", "")) for name, remark in rows]
    writer.writerows((remark, name) for name, remark in clean)
    (base / "list.csv").write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))
    assert paths(base / "list.csv", base / "s", column="file") == [str(base / name) for name, _ in clean]


@given(st.binary(max_size=300))
def test_bytes_that_are_no_csv_are_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    base = tmp_path_factory.mktemp("noise")
    (base / "list.csv").write_bytes(b"path,x\n" + data)
    with suppress(UsageError):  # and nothing else
        paths(base / "list.csv", base / "s")


def test_a_csv_without_the_column_says_which_it_has(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.csv").write_text("file,x\na.jpg,1\n")
    with pytest.raises(UsageError, match=r"no column 'path'.*--column: file, x"):
        paths(tmp_path / "a.csv", scratch)
    (tmp_path / "a.csv").write_text("x,path\n1,a.jpg\n2\n")
    with pytest.raises(UsageError, match=r"a\.csv, line 3: it has fewer fields"):
        paths(tmp_path / "a.csv", scratch)


@pytest.mark.parametrize("by_zero", [False, True])
def test_a_list_without_ends_is_not_read_into_memory(tmp_path: Path, scratch: Path, by_zero: bool) -> None:
    (tmp_path / "list.txt").write_bytes(b"x" * 1_000_000)
    with pytest.raises(UsageError, match="one path a line"):
        paths(tmp_path / "list.txt", scratch, by_zero=by_zero)


def tarred(path: Path, members: list[tuple[str, bytes]], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in members:
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return path


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.xz", "w:xz"), ("a", "w")]
)
def test_members_of_a_tar_are_copied_one_by_one_under_names_of_ours(
    tmp_path: Path, scratch: Path, name: str, mode: str
) -> None:
    members = [("../../escape.jpg", b"one"), ("twice", b"two"), ("twice", b"three"), ("big", b"x" * 5000)]
    place = tarred(tmp_path / name, members, mode)
    scratch.mkdir()
    source = open_source(str(place), Reading(scratch, 1000))
    contents = []
    for item in source.items(lambda _item: True):
        assert item.content is not None
        assert item.content.parent == scratch
        assert len(list(scratch.iterdir())) == 1, "no more than one is there at a time"
        contents.append((item.member, item.content.read_bytes()))
        item.content.unlink()
    assert contents == [*members[:3], ("big", b"x" * 1001)]
    assert source.count() == (None if ":" in mode else 4)
    ids = {item.id for item in listed(place, scratch)}
    assert len(ids) == 4, "two members of one name are two files"
    assert ids == {item.id for item in listed(place, scratch)}


def test_a_member_that_is_not_wanted_is_not_copied(tmp_path: Path, scratch: Path) -> None:
    place = tarred(tmp_path / "a.tar", [("a", b"1"), ("b", b"2")])
    scratch.mkdir()
    source = open_source(str(place), Reading(scratch, 1000))
    assert [item.member for item in source.items(lambda item: item.member == "b")] == ["b"]
    assert len(list(scratch.iterdir())) == 1


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_that_is_cut_off_is_an_error_after_what_it_has(
    tmp_path: Path, scratch: Path, mode: str
) -> None:
    place = tarred(tmp_path / "a.tar", [("a", os.urandom(3000)), ("b", os.urandom(3000))], mode)
    place.write_bytes(place.read_bytes()[:5500])
    scratch.mkdir()
    names = []
    with pytest.raises(DamagedFile, match="after 1 files"):  # noqa: PT012  (what came before counts)
        for item in open_source(str(place), Reading(scratch, 10_000)).items(lambda _item: True):
            names.append(item.member)
    assert names == ["a"]


def test_what_is_no_source_says_what_one_is(tmp_path: Path, scratch: Path, astronaut: Path) -> None:
    with pytest.raises(NotAFile, match="no such source"):
        paths(tmp_path / "missing", scratch)
    with pytest.raises(UsageError, match="`haechi check` looks at single files"):
        paths(astronaut, scratch)
    with pytest.raises(NotAFile, match="no folder"):
        paths(astronaut, scratch, kind=Kind.folder)
    with pytest.raises(DamagedFile, match="after 0 files"):
        paths(astronaut, scratch, kind=Kind.tar)


def test_a_zero_byte_in_a_name_is_a_name_that_no_file_has(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a\0b\n")
    (path,) = paths(tmp_path / "list.txt", scratch)
    with pytest.raises(NotAFile):
        open_media(path, Settings())
