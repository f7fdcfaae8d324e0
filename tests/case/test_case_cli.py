"""``haechi case``: from a new case to a letter, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haechi.case import cli
from haechi.case.page import minors_help
from haechi.cli import app

PHRASE = "four words that fit"


def run(*args: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["case", *map(str, args)], env=env)


@pytest.fixture
def folder(tmp_path: Path, astronaut: Path) -> Path:
    assert run("new", tmp_path / "case", "--title", "Mine").exit_code == 0
    done = run("add", tmp_path / "case", astronaut, "--address", "https://x.example/1", "--no-check")
    assert done.exit_code == 0
    return tmp_path / "case"


def test_from_the_first_file_to_the_letter(folder: Path, tmp_path: Path) -> None:
    said = run("report", folder).stdout
    assert "Case: Mine" in said
    assert "Not checked." in said
    verified = run("verify", folder)
    assert (verified.exit_code, "Nothing was changed" in verified.stdout) == (0, True)
    assert "https://x.example/1" in run("letter", folder, "--kind", "police", "--lang", "ko").stdout
    drafted = run("letter", folder, 1, "--country", "KR", "--out", tmp_path / "l" / "letter.txt")
    assert drafted.exit_code == 0
    letter = (tmp_path / "l" / "letter.txt").read_text()
    assert "[your signature]" in letter
    for line in ("Before you send it", "no legal advice", "not checked by us"):
        assert line in drafted.stderr
        assert line not in letter
    assert run("bundle", folder, tmp_path / "out.zip", "--hashes-only").exit_code == 0
    assert run("bundle", folder, tmp_path / "out.zip").exit_code == 2
    again = run("verify", folder)
    assert again.stdout == verified.stdout


def test_a_change_ends_with_6(folder: Path) -> None:
    head = json.loads((folder / "head.json").read_text())["head"]
    assert run("verify", folder, "--head", head).exit_code == 0
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b"x.example", b"y.example"))
    done = run("verify", folder, "--head", head)
    assert done.exit_code == 6
    assert "The end of the log is not the one that was sealed." in done.stdout
    (folder / "case.json").unlink()
    assert run("verify", folder).exit_code == 6
    assert run("report", folder).exit_code == 6
    assert run("verify", folder / "nowhere").exit_code == 2


def test_a_check_is_made_and_kept(tmp_path: Path, astronaut: Path) -> None:
    run("new", tmp_path / "case")
    (tmp_path / "notes.txt").write_text("x")
    done = run("add", tmp_path / "case", astronaut, tmp_path / "notes.txt")
    assert done.exit_code == 0
    assert "Entry 2: notes.txt was stored unchanged." in done.stdout
    assert "This is text" in done.stdout
    assert run("report", tmp_path / "case", "--format", "html", "--out", tmp_path / "pages").exit_code == 0
    assert {p.name for p in (tmp_path / "pages").iterdir()} == {"case.html", "001.html"}
    assert run("report", tmp_path / "case", "--format", "html").exit_code == 2
    assert run("report", tmp_path / "case", "--format", "html", "--out", tmp_path / "case").exit_code == 2


def test_a_minors_picture(folder: Path, astronaut: Path) -> None:
    done = run("add", folder, astronaut, "--minor", "--country", "KR", "--lang", "ko")
    assert done.exit_code == 0
    assert "아무것도 보관하지 않았습니다" in done.stdout
    assert "takeitdown.ncmec.org" in done.stdout
    assert "사본은 삭제했고" in done.stdout
    assert not list((folder / "originals").iterdir())
    assert run("verify", folder).exit_code == 0


def test_the_helplines_are_those_of_the_country() -> None:
    told = {country: "\n".join(minors_help("en", country)) for country in ("", "KR", "uk", "GB", "XX")}
    assert told["uk"] == told["GB"]
    assert "1388" in told["KR"]
    assert told["XX"] == told[""]
    assert all("takeitdown.ncmec.org" in text for text in told.values())


def test_several_files_of_which_one_is_missing(folder: Path, astronaut: Path, tmp_path: Path) -> None:
    done = run("add", folder, tmp_path / "none.jpg", astronaut, "--no-check")
    assert done.exit_code == 5
    assert "none.jpg: There is no such file" in done.stderr
    assert run("add", folder, tmp_path / "none.jpg").exit_code == 3


def test_copies(folder: Path, astronaut: Path, tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    assert "No copies" in run("match", folder, tmp_path / "found").stdout
    (tmp_path / "found" / "a\nb.jpg").write_bytes(astronaut.read_bytes())
    done = run("match", folder, tmp_path / "found", "--lang", "zh")
    assert "a\\nb.jpg: 条目 1：完全相同的文件" in done.stdout
    (line,) = run("match", folder, tmp_path / "found", "--format", "jsonl").stdout.splitlines()
    assert json.loads(line)["how"] == "same_file"


def test_the_passphrase_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cryptography")
    env = {cli.PASSPHRASE: PHRASE}
    folder = tmp_path / "case"
    made = run("new", folder, "--passphrase", env=env)
    assert (made.exit_code, "nobody can open the case" in made.stdout) == (0, True)
    (tmp_path / "note.txt").write_text("x")
    assert run("add", folder, tmp_path / "note.txt", env=env).exit_code == 0
    assert run("verify", folder).exit_code == 0
    assert "without its passphrase" in run("verify", folder).stdout
    opened = run("verify", folder, "--passphrase", env=env)
    assert "without its passphrase" not in opened.stdout
    assert "every change but one" in opened.stdout
    assert "holds 2 lines, the last one of 20" in opened.stdout
    shut = run("report", folder)
    assert (shut.exit_code, cli.PASSPHRASE in shut.stderr) == (6, True)
    wrong = run("report", folder, env={cli.PASSPHRASE: "something else"})
    assert (wrong.exit_code, "passphrase is wrong" in wrong.stderr) == (6, True)


def test_a_passphrase_for_a_case_without_one_is_told(folder: Path) -> None:
    """Somebody may have put another case in the place of an encrypted one."""
    done = run("verify", folder, "--passphrase", env={cli.PASSPHRASE: PHRASE})
    assert (done.exit_code, "is not encrypted" in done.stderr) == (6, True)


def test_a_forged_case_is_told_although_it_does_not_open(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    env = {cli.PASSPHRASE: PHRASE}
    run("new", tmp_path / "case", "--passphrase", env=env)
    about = tmp_path / "case" / "case.json"
    about.write_text(about.read_text().replace('"n":16', '"n":32'))
    done = run("verify", tmp_path / "case", "--passphrase", env=env)
    assert (done.exit_code, "does not follow" in done.stdout) == (6, True)


def test_an_interruption_is_no_change(folder: Path) -> None:
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes() + b'{"do":"add"')
    done = run("verify", folder)
    assert done.exit_code == 6
    assert "was interrupted" in done.stdout
    assert "not as it was recorded" not in done.stdout


def test_what_came_after_a_noted_seal_is_told(folder: Path, astronaut: Path) -> None:
    head = json.loads((folder / "head.json").read_text())["head"]
    run("add", folder, astronaut, "--no-check")
    said = run("verify", folder, "--head", head).stdout
    assert "belongs to line 2 of 3" in said
    assert "1 lines were added after it" in said
