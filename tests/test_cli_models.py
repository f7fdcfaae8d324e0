"""``haechi models`` and ``haechi doctor``: what cards say reaches the reader whole, and no secrets leave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from haechi import doctor, model_table, models
from haechi.settings import Settings

HAECHI = [sys.executable, "-m", "haechi"]


def write_card(folder: Path, name: str, **facts: Any) -> None:
    raw = {"name": name, "version": "1", "task": "a test", "licence": "Apache-2.0", "parameters": {}, **facts}
    sealed = json.dumps(models.seal(raw, folder))
    (folder / f"{name}.json").write_text(sealed, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole folder of cards that say little."""
    for name in models.NAMES:
        write_card(tmp_path, name)
    return tmp_path


def shown(
    folder: Path | None, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """The lines of ``haechi models`` on a terminal so wide."""
    monkeypatch.setenv("COLUMNS", str(columns))
    model_table.show(Settings(models_dir=str(folder or "")))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    return lines


@pytest.mark.parametrize("columns", [80, 120])
def test_every_figure_is_a_line_and_every_limit_is_told(
    folder: Path, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    persons = {"what": "persons never trained on"}
    auc = {
        f"DFDC, step {i}": {"value": 0.8462 - i / 100, "low": 0.787, "high": 0.9029, **persons}
        for i in range(8)
    }
    figures = {
        "auc": {**auc, "half": {"value": None, "low": None, "high": None, **persons}},
        "recall_of_faces": 0.98,
    }
    write_card(folder, "swap", figures=figures, limits=["make-up looks like edits", "few children"])
    lines = shown(folder, columns, monkeypatch, capsys)
    text = re.sub(" +", " ", "\n".join(lines))
    for i in range(8):
        (line,) = [line for line in lines if f"auc: DFDC, step {i} " in line]
        assert f"{0.8462 - i / 100:.3g} (0.787-0.903)" in line
    assert "auc: half not measured" in text
    assert "recall of faces 0.98\n" in text
    assert text.count("persons never trained on") == 1
    assert " - make-up looks like edits\n - few children\n" in text


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_shipped_cards_are_shown_whole(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = "".join("".join(shown(None, columns, monkeypatch, capsys)).split())
    for card in models.cards(Settings()):
        for words in (card.name, card.raw["task"], *card.raw["limits"]):
            assert "".join(words.split()) in told
        for _name, value, _what in model_table.figure_rows(card.figures):
            assert "".join(value.split()) in told


def test_cards_of_odd_content_are_shown_and_cannot_move_the_cursor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {
        "training": {"data": "none"},
        "limits": {"name": "a\x1b[31m"},
        "figures": {"x": [1], "y": "[bold]\nz"},
    }
    write_card(folder, "swap", **odd)
    write_card(folder, "faces", training="none")
    write_card(folder, "extra", training={"data": [{"name": "faces of stone"}, 7]}, limits=None)
    text = "\n".join(shown(folder, 80, monkeypatch, capsys))
    assert "\x1b" not in text
    for words in ("- none", "- a\\x1b[31m", "y  [bold]\\nz", "- faces of stone", "- 7", "- nothing said"):
        assert words in text


def test_models_verify_finds_what_is_missing(tmp_path: Path) -> None:
    environment = os.environ | {"HAECHI_MODELS_DIR": str(tmp_path)}
    run = subprocess.run(
        [*HAECHI, "models", "verify"], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 4
    assert [line.split()[:2] for line in run.stdout.splitlines()] == [["BAD", name] for name in models.NAMES]


def test_doctor_tells_versions_and_no_secrets(tmp_path: Path) -> None:
    environment = os.environ | {"HAECHI_MODELS_DIR": str(tmp_path), "HAECHI_THREADS": "1", "USER": "jane-doe"}
    environment |= {"HAECHI_KNOWN_FILES": str(tmp_path / "x"), "HAECHI_TRUST_LIST": str(tmp_path / "y")}
    run = subprocess.run([*HAECHI, "doctor"], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    for word in (
        "python: ",
        "onnxruntime: ",
        "setting threads: 1 (HAECHI_THREADS)",
        "model swap: no card",
        "c2pa-python: ",
    ):
        assert word in run.stdout
    assert str(tmp_path) not in run.stdout
    assert str(Path.home()) not in run.stdout
    assert "jane-doe" not in run.stdout


def test_doctor_survives_a_wrong_setting() -> None:
    environment = os.environ | {"HAECHI_THREADS": "many"}
    run = subprocess.run([*HAECHI, "doctor"], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "HAECHI_THREADS='many' is not a valid int" in run.stdout


def test_doctor_counts_cards_of_other_names_without_naming_them(folder: Path) -> None:
    write_card(folder, "jane-doe")
    (folder / "divorce-letters.json").write_text("[]", encoding="utf-8")
    told = "\n".join(doctor.lines({"HAECHI_MODELS_DIR": str(folder)}))
    assert "model swap: 1 sha256" in told
    assert "other cards: 2, of which 1 ok" in told
    assert not any(word in told for word in ("jane", "divorce"))
