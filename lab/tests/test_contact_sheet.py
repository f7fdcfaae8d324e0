"""The contact sheet: every family that can be made is on it, and what cannot is said."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from haechi_lab.pseudo_fakes import FAMILIES
from meshes import SIDE, face, mesh
from synthetic import texture

torch = pytest.importorskip("torch")

from typer.testing import CliRunner  # noqa: E402

from haechi.errors import NotAFile  # noqa: E402
from haechi_lab import cli  # noqa: E402
from haechi_lab.figures import contact_sheet as sheet  # noqa: E402
from haechi_lab.networks.autoencoder import AutoEncoder  # noqa: E402


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "EXAMPLES", 3)


def subject() -> sheet.Subject:
    rgb = texture(300, 320)
    rgb[40 : 40 + SIDE, 50 : 50 + SIDE] = face()
    square = np.array([50, 40, 50 + SIDE, 40 + SIDE], np.float32)
    return sheet.Subject(rgb, np.asarray(cv2.medianBlur(rgb, 3), np.uint8), face(), square, mesh())


def test_without_trained_networks_the_rest_is_shown_and_the_lack_is_said(tmp_path: Path) -> None:
    made, missing = sheet.rows(subject(), tmp_path)
    lacking = {line.split(":")[0] for line in missing}
    assert lacking == {"autoencoder", "adversarial", "gan_face"}
    shown = {row.name for row in made}
    assert shown == set(FAMILIES) - lacking - {"generated_face"} | {"redrawn, whole", "upsampled, whole"}
    assert all(not np.array_equal(row.pair.real, row.pair.fake) for row in made)


def test_trained_networks_and_faces_of_nobody_are_shown(tmp_path: Path) -> None:
    for kind in ("autoencoder", "adversarial"):
        (tmp_path / kind).mkdir()
        torch.save({"average": AutoEncoder().state_dict()}, tmp_path / kind / "checkpoint.pt")
    np.save(tmp_path / "gan.npy", np.stack([face(s) for s in range(4)]))
    np.save(tmp_path / "gan_mesh.npy", np.stack([mesh()] * 4))
    (tmp_path / "gan.json").write_text(json.dumps({"train": 3}))
    made, missing = sheet.rows(subject(), tmp_path)
    assert not missing
    assert {"autoencoder", "adversarial", "gan_face"} <= {row.name for row in made}
    assert "generated_face" not in {row.name for row in made}


def test_the_sheet_holds_all_rows_and_is_the_same_every_time(tmp_path: Path) -> None:
    made, _ = sheet.rows(subject(), tmp_path)
    board = sheet.paint(made)
    assert np.array_equal(board, sheet.paint(sheet.rows(subject(), tmp_path)[0]))
    assert board.shape[1] > sheet.COLUMNS * len(sheet.HEADS) * sheet.CELL_PX
    assert board.shape[0] > (len(made) + 1) // 2 * sheet.CELL_PX
    one = sheet.paint(made[:1])
    y, x = sheet.TITLE_PX * 2 + 5, sheet.GAP_PX + 5
    assert one[y : y + 100, x : x + 100].std() > 5


def test_a_family_left_out_is_told_and_fails_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "write", lambda *_: ["gan_face: no gan.npy"])
    told = CliRunner().invoke(cli.app, ["contact-sheet"])
    assert told.exit_code == 5
    assert "left out: gan_face" in told.output
    assert CliRunner().invoke(cli.app, ["contact-sheet", "--allow-missing"]).exit_code == 0


def test_a_photograph_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match="nobody"):
        sheet.write(tmp_path / "nobody.jpg", tmp_path, tmp_path, tmp_path / "out.png")
