"""The page of a run: what it counts, whose pictures it shows, and that names stay names."""

from __future__ import annotations

import csv
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fakes import picture
from haechi import models
from haechi.batch import copies, page, table
from haechi.batch.items import Item
from haechi.batch.rows import row_of
from haechi.batch.run import Outcome
from haechi.batch.run_report import write_report
from haechi.batch.shards import rows_of
from haechi.errors import NotAFile
from haechi.settings import LANGUAGES, Settings
from html_page import Page

Run = Callable[..., Outcome]
Row = dict[str, Any]
HASH = "f" * 64


@pytest.fixture
def out(batch: Run, tmp_path: Path) -> Path:
    """A run over pictures of every level, and a text."""
    (tmp_path / "in").mkdir()
    for level in ("strong", "some", "none", "unknown"):
        picture(tmp_path / "in" / f"{level}.png", level)
    (tmp_path / "in" / "note.txt").write_text("no picture")
    batch(tmp_path / "in", tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def row() -> Row:
    """A row of a picture with strong signs."""
    facts = {
        "source": {"name": "a.jpg", "sha256": "0" * 64},
        "pdq": {"hash": HASH, "quality": 100},
        "verdict": {"level": "strong", "score": 0.9, "thresholds": {"some": 0.5, "strong": 0.8}},
        "faces": [{"id": 1}],
        "known": [],
        "models": [{"name": "swap", "version": "1", "sha256": "0" * 64}],
        "created": "2026-01-01T00:00:00+00:00",
        "elapsed_s": 0.5,
    }
    return dict(row_of(Item("/in/a.jpg"), facts))


def made(rows: list[Row], lang: str = "en", pictures: Any = None) -> str:
    card = models.load("verdict", Settings()).card
    return page.page(rows, lang, card, pictures)


def named(row: Row, name: str, **more: Any) -> Row:
    return {**deepcopy(row), "path": name, "id": Item(name).id, **more}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_counts_every_file_in_every_language(out: Path, lang: str) -> None:
    written = write_report(out, Settings(threads=1), lang, pictures=False)
    assert written == (str(out / "report.html"), str(out / "rows.csv"))
    text = (out / "report.html").read_text("utf-8")
    parsed = Page(text)
    word = {"en": "Strong signs", "zh": "迹象明显", "ko": "뚜렷한 흔적"}[lang]
    assert word in parsed.text
    assert {"en": "Files: 5", "zh": "文件数：5", "ko": "파일 수: 5"}[lang] in parsed.text
    assert "batch_" not in parsed.text, "a sentence is missing"
    assert not parsed.all("img")
    assert (out / "report.html").stat().st_mode & 0o777 == 0o600
    assert (out / "rows.csv").stat().st_mode & 0o777 == 0o600
    assert not list(out.glob(".report-*"))


def test_pictures_are_blurred_and_only_of_files_that_are_there_unchanged(out: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "some.png").unlink()
    picture(tmp_path / "in" / "none.png", "strong")
    write_report(out, Settings(threads=1), "en", pictures=True)
    text = (out / "report.html").read_text("utf-8")
    parsed = Page(text)
    assert len(parsed.all("img")) == 2
    assert all(str(img["src"]).startswith("data:image/jpeg;base64,") for img in parsed.all("img"))
    assert parsed.text.count("No longer there, or changed") == 2
    assert ".sheet img { display: block; max-width: 7rem; max-height: 7rem; filter: blur(12px)" in text
    (unveil,) = (box for box in parsed.all("input") if box["id"] == "unveil")
    assert "checked" not in unveil


def test_the_most_suspicious_come_first(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_PICTURES", 3)
    scores = {"none": 0.1, "some": 0.6, "strong": 0.85, "unknown": None}
    rows = [
        named(row, f"/in/{level}.jpg", verdict={"level": level, "score": score, "thresholds": None})
        for level, score in scores.items()
    ]
    parsed = Page(made([*rows, row]))
    names = [head["data-key"] for head in parsed.all("th") if "data-key" in head]
    assert names == ["/in/a.jpg", "/in/strong.jpg", "/in/some.jpg"]
    assert "The 3 most suspicious of 5 files" in parsed.text


def test_error_rates_stand_beside_levels_only_of_the_card_that_judged(row: Row) -> None:
    card = models.load("verdict", Settings()).card
    own = {"name": "verdict", "version": card.version, "sha256": card.sha256}
    rates = "got this or more, and of 100 faces drawn as a whole"
    assert rates in made([{**row, "models": [own]}])
    assert rates not in made([{**row, "models": [{**own, "sha256": "1" * 64}]}])


def test_known_files_and_near_duplicates_are_told(row: Row) -> None:
    near = f"{int(HASH, 16) ^ 0b111:064x}"
    rows = [
        named(row, "/in/known.jpg", known=[{"list": "far", "distance": 9}, {"list": "near", "distance": 2}]),
        named(row, "/in/copy.jpg", pdq={"hash": near, "quality": 80}),
        named(row, "/in/plain.jpg", pdq={"hash": HASH, "quality": 10}),
        named(row, "/in/other.jpg", pdq={"hash": "0" * 64, "quality": 90}),
    ]
    text = Page(made(rows)).text
    assert "Group 1: 2 files" in text
    group = text[text.index("Group 1: 2 files") :]
    assert "/in/copy.jpg" in group
    assert "/in/plain.jpg" not in group
    assert "near" in text[text.index("Known files") :]
    assert "None of the files is on a list" in Page(made([row])).text


def test_fingerprints_are_grouped_over_others_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(bits: int) -> str:
        return f"{(1 << bits) - 1:064x}"

    hashes = [apart(0), apart(200), apart(25), apart(50), apart(200)]
    assert copies.groups(hashes) == [[0, 2, 3], [1, 4]]
    assert copies.groups([]) == []
    monkeypatch.setattr(copies, "MOST_COMPARED", 2)
    assert copies.groups(hashes) == [[1, 4]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_stay_names(row: Row, lang: str) -> None:
    evil = '/in/<script>alert(1)</script>\u202e\x1b".jpg'
    rows = [named(row, evil, member=evil, known=[{"list": evil, "distance": 1}])]
    text = made(rows, lang)
    parsed = Page(text)
    assert len(parsed.all("script")) == 1
    assert "alert(1)" not in parsed.inside["script"]
    assert parsed.text.count("<script>alert(1)</script>") >= 3
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_the_table_has_a_line_a_row_and_no_formulas(out: Path, row: Row, tmp_path: Path) -> None:
    write_report(out, Settings(threads=1), "en", pictures=False)
    with (out / "rows.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    by_id = {line["id"]: line for line in lines}
    for told in rows_of(out):
        line = by_id[told["id"]]
        assert line["path"] == told["path"]
        assert line["error"] == told.get("error", {}).get("code", "")
        assert line["level"] == told.get("verdict", {}).get("level", "")
    assert len(lines) == 5
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        list(table.write_table(iter([named(row, "=1+1,\n.jpg", member="@x")]), file))
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["path"], line["member"]) == ("'=1+1,\n.jpg", "'@x")


def test_what_is_no_run_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NotAFile, match="no run"):
            write_report(folder, Settings(), "en", pictures=False)
