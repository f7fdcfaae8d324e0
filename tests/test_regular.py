"""Pipes and devices in the place of files that settings name: an error at once, never a wait without end."""

from __future__ import annotations

import os
import shutil
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from haechi import models, regular_files
from haechi.claims.known_files import KnownClaim
from haechi.claims.provenance import ProvenanceClaim
from haechi.errors import HaechiError, UsageError
from haechi.settings import Settings, most_threads

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")


def ends(call: Callable[[], object], wait_s: float = 10.0) -> BaseException | None:
    """What the call raised; fails when it does not end."""
    raised: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
            raised.append(None)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(wait_s)
    assert raised, "it hangs"
    return raised[0]


@pytest.fixture(params=["pipe", "device", "folder", "link to a pipe"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Something that is there and is no file."""
    if request.param == "device":
        return Path("/dev/zero")
    path = tmp_path / "odd"
    if request.param == "folder":
        path.mkdir()
        return path
    os.mkfifo(path)
    if request.param == "pipe":
        return path
    (tmp_path / "link").symlink_to(path)
    return tmp_path / "link"


def test_only_regular_files_are_read(odd: Path, tmp_path: Path) -> None:
    assert isinstance(ends(lambda: regular_files.read(odd, 100)), OSError)
    (tmp_path / "file").write_bytes(b"x" * 101)
    assert regular_files.read(tmp_path / "file", 101) == b"x" * 101
    assert isinstance(ends(lambda: regular_files.read(tmp_path / "file", 100)), OSError)


def test_a_small_file_takes_little_memory_however_large_it_might_be(tmp_path: Path) -> None:
    """A child process may not have the memory for the largest."""
    (tmp_path / "file").write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert len(regular_files.read(tmp_path / "file", 1 << 28)) == 1000
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_lists_that_settings_name(odd: Path) -> None:
    for make in (
        lambda: KnownClaim(Settings(known_files=str(odd))),
        lambda: ProvenanceClaim(Settings(trust_list=str(odd))),
    ):
        assert isinstance(ends(make), UsageError)


def test_a_list_in_a_folder_of_lists(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert isinstance(ends(lambda: KnownClaim(Settings(known_files=str(tmp_path)))), UsageError)


@pytest.mark.parametrize("file", ["synthesis.onnx", "synthesis.json"])
def test_weights_and_cards(file: str, tmp_path: Path) -> None:
    settings = Settings(models_dir=str(tmp_path / "models"))
    shutil.copytree(models.folder(Settings()), tmp_path / "models")
    (tmp_path / "models" / file).unlink()
    os.mkfifo(tmp_path / "models" / file)
    checked = ends(lambda: models.load("synthesis", settings))
    assert isinstance(checked, HaechiError)
    assert ends(lambda: models.verify(settings)) is None


def test_no_machine_has_so_many_threads() -> None:
    with pytest.raises(UsageError, match=f"at most {most_threads()}"):
        Settings.from_env({"HAECHI_THREADS": "100000"})
    assert Settings(threads=most_threads()).threads == most_threads()


def test_reading_takes_the_memory_of_the_file_and_not_of_its_limit(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert len(regular_files.read(tmp_path / "small", 1024**3)) == 1000
        assert tracemalloc.get_traced_memory()[1] < 1024**2
    finally:
        tracemalloc.stop()
