"""Calibration on a source never seen: it is left out, and its alarms are those at the marks of the others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from haechi_lab.calibrate import next_source
from haechi_lab.calibrate.raw_scores import Probed

APART = 3.0


def faces(source: str, shift: float, n: int, seed: int) -> list[Probed]:
    """Half of them forged, with swap logits APART higher; ``shift`` moves all of a source. A third of the
    forged ones are drawn, and the other network sees only those."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        fake, drawn = k % 2, k % 2 and k % 3 == 1
        kind = ("gan-face" if drawn else "face-swap") if fake else ""
        rung = ("clean", "jpeg40")[k // 2 % 2]
        seen = float(rng.normal() + APART * fake + shift), float(rng.normal() + APART * drawn)
        about = (f"{source}-{k}", fake, kind, source, f"{source}-g{k // 2}", rung)
        out.append(Probed(*about, 1, 200.0, 0.6, 0.5, False, 1.0, *seen))
    return out


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    halves = {
        name: [
            p
            for k, (source, shift) in enumerate({"dfdc": 0.0, "lfw": 0.0, "openforensics": 2.5}.items())
            for p in faces(source, shift, 1200, 10 * k + seed)
        ]
        for name, seed in (("selection", 1), ("reporting", 2))
    }
    monkeypatch.setattr(next_source, "measured", lambda file, *_: halves[file.stem])
    monkeypatch.setattr(next_source, "_networks", lambda _: [])


@pytest.mark.usefixtures("measured")
def test_a_source_unlike_the_others_alarms_when_it_is_left_out(tmp_path: Path) -> None:
    next_source.measure(tmp_path, tmp_path, "test", lambda _: None)
    rows = json.loads((tmp_path / "next-source.json").read_text())["rows"]
    alarms = {
        r["source"]: r["value"]
        for r in rows
        if r["join"] == "a model a manner" and r["figure"] == "alarms, some" and r["rung"] == "clean"
    }
    assert alarms["openforensics"] > 0.3, "marks of the others do not hold here, and the table says so"
    assert alarms["dfdc"] < 0.05
    assert {r["join"] for r in rows} == set(next_source.JOINS)
    table = json.loads((tmp_path / "next-source.json").read_text())["table"]
    assert [r[0] for r in table["rows"]] == ["dfdc", "lfw", "openforensics"]


@pytest.mark.usefixtures("measured")
def test_forgeries_are_set_against_genuine_faces_of_their_own_source(tmp_path: Path) -> None:
    result = next_source.measure(tmp_path, tmp_path, "test", lambda _: None)
    auc = {r["figure"]: r["value"] for r in result["rows"] if r["source"] == "(all)" and r["rung"] == "clean"}
    assert 0.85 < auc["AUC of openforensics"] < 0.97, "against those of the other sources it would be 1"
    assert auc["AUC, mean of sources"] > 0.9


def test_two_names_of_a_source_are_left_out_together() -> None:
    one = replace(faces("sd21", 0, 1, 0)[0], source="sd21-faces")
    assert next_source.source_of(one) == "sd21"
