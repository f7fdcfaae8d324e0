"""Lists of known pictures are read whole, or refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haechi.errors import HaechiError, InputError, UsageError
from haechi.hashlist import Known, load_list

A, B = "a1" * 32, "0f" * 32


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode())
    return path


def test_one_hash_a_line(tmp_path: Path) -> None:
    assert load_list(write(tmp_path, f"{A}\r\n\n# old\n{B.upper()}\n")) == [
        Known(A, line=1),
        Known(B, line=4),
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_are_found_by_their_names(tmp_path: Path, mark: str) -> None:
    rows = (("Label", "PDQ Hash", "Quality", "Origin"), ('"x, y"', A, "91", "platform"), ("z", B, "", ""))
    text = "\ufeff" + "\n".join(mark.join(row) for row in rows)
    if mark != ",":
        text = text.replace('"x, y"', "x, y")
    assert load_list(write(tmp_path, text)) == [
        Known(A, "x, y", "platform", 91, 2),
        Known(B, "z", "", None, 3),
    ]


def test_hashes_of_no_quality_are_left_out(tmp_path: Path) -> None:
    assert [k.hash for k in load_list(write(tmp_path, f"hash,quality\n{A},49\n{B},50\n"))] == [B]


def test_each_wrong_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"line 2: .* line 3: .*nothing was loaded"):
        load_list(write(tmp_path, f"{A}\nnonsense\n{A[:-1]}\n{B}\n"))
    with pytest.raises(UsageError, match="line 2: The quality"):
        load_list(write(tmp_path, f"hash,quality\n{A},many\n"))


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "name,colour\nx,y\n"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="hash"):
        load_list(write(tmp_path, text))


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv", tmp_path / "\0"):
        with pytest.raises(InputError, match="cannot be read"):
            load_list(path)
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        load_list(tmp_path / "list.csv")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(tmp_path: Path, text: str) -> None:
    try:
        found = load_list(write(tmp_path, f"{A},\n" + text.encode("utf-8", "replace").decode()))
    except HaechiError:
        return  # whatever else would be a crash
    assert found[0].hash == A
