"""The contract of the command line: exit codes, order, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fakes import in_process, picture
from haechi import cli, extensions, models, report, terminal
from haechi.settings import Settings

HAECHI = [sys.executable, "-m", "haechi"]


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Haechi = Callable[..., Run]


@pytest.fixture
def haechi(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Haechi:
    """Runs the command line in this process, with stages that go by the colour of the picture."""
    in_process(monkeypatch)

    def run(*args: str | Path) -> Run:
        monkeypatch.setattr(sys, "argv", ["haechi", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Run(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def some(tmp_path: Path) -> Callable[..., list[Path]]:
    """Pictures that bring forth the named outcomes, in order; ``missing`` is a name without a file."""

    def make(*outcomes: str) -> list[Path]:
        paths = [tmp_path / f"{i}-{says}.png" for i, says in enumerate(outcomes)]
        for path, says in zip(paths, outcomes, strict=True):
            if says == "broken":
                path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
            elif says != "missing":
                picture(path, says)
        return paths

    return make


Some = Callable[..., list[Path]]


@pytest.mark.parametrize("level", ["strong", "some", "none", "unknown"])
def test_any_verdict_is_exit_0_and_stderr_stays_empty(haechi: Haechi, some: Some, level: str) -> None:
    run = haechi("check", *some(level))
    assert (run.code, run.err) == (0, "")
    assert f"0-{level}.png" in run.out


def test_a_verdict_has_its_words(haechi: Haechi, some: Some) -> None:
    assert "This is evidence, not proof." in haechi("check", *some("strong")).out
    assert "이며 확정은 아닙니다" in haechi("check", "--lang", "ko", *some("strong")).out


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "html"])
@pytest.mark.parametrize("kind", ["broken", "missing"])
def test_one_unreadable_input_is_one_line_and_exit_3(
    haechi: Haechi, some: Some, kind: str, form: str
) -> None:
    run = haechi("check", "--format", form, *some(kind))
    assert (run.code, run.out) == (3, "")
    assert len(run.err.splitlines()) == 1
    assert f"0-{kind}.png: " in run.err


def test_a_crashed_detector_is_shown_and_is_no_verdict(haechi: Haechi, some: Some) -> None:
    run = haechi("check", "--format", "json", *some("crash"))
    shown = json.loads(run.out)
    assert run.code == 0
    assert shown["evidence"][0]["status"] == "failed"
    assert (shown["verdict"]["level"], shown["verdict"]["score"]) == ("unknown", None)


def test_a_fault_of_ours_is_one_line_and_exit_1(haechi: Haechi, some: Some) -> None:
    run = haechi("check", *some("breakdown"))
    assert (run.code, run.out) == (1, "")
    assert re.fullmatch(r"haechi: Internal error \(ZeroDivisionError\).*haechi doctor.*\n", run.err)
    assert "secret" not in run.err


def test_a_fault_of_ours_shows_its_traceback_when_asked(
    haechi: Haechi, some: Some, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAECHI_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["haechi", "check", str(some("breakdown")[0])])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_jsonl_has_one_line_an_input_in_order_with_errors_in_place(haechi: Haechi, some: Some) -> None:
    run = haechi("check", "--format", "jsonl", *some("strong", "broken", "none", "missing", "some"))
    assert run.code == 5
    assert [line["source"]["name"] for line in run.lines] == [
        "0-strong.png",
        "1-broken.png",
        "2-none.png",
        "3-missing.png",
        "4-some.png",
    ]
    assert [line.get("verdict", {}).get("level") for line in run.lines] == [
        "strong",
        None,
        "none",
        None,
        "some",
    ]
    assert [line.get("error", {}).get("code") for line in run.lines][1::2] == ["damaged_file", "not_a_file"]
    for line in run.lines:
        jsonschema.validate(line, report.SCHEMA)
    assert len(run.err.splitlines()) == 2


def test_json_of_several_inputs_is_a_list(haechi: Haechi, some: Some) -> None:
    run = haechi("check", "--format", "json", *some("strong", "missing", "none"))
    assert ["verdict" in entry for entry in json.loads(run.out)] == [True, False, True]
    assert run.code == 5


def test_when_all_of_several_fail_it_is_exit_3(haechi: Haechi, some: Some) -> None:
    run = haechi("check", "--format", "jsonl", *some("missing", "broken"))
    assert (run.code, len(run.lines)) == (3, 2)


def test_a_fault_of_ours_among_several_stops_nothing_and_is_exit_1(haechi: Haechi, some: Some) -> None:
    run = haechi("check", "--format", "jsonl", *some("none", "breakdown", "none"))
    assert run.code == 1
    assert [line.get("error", {}).get("code") for line in run.lines] == [None, "internal", None]
    assert "secret" not in run.out + run.err


@pytest.mark.parametrize(
    ("outcomes", "fail_on", "code"),
    [
        (["strong"], "strong", 10),
        (["strong"], "some", 10),
        (["some"], "some", 10),
        (["some"], "strong", 0),
        (["none", "unknown"], "some", 0),
        (["none", "strong", "none"], "strong", 10),
        (["strong", "missing"], "strong", 10),
        (["none", "missing"], "strong", 5),
        (["missing"], "some", 3),
        (["strong", "breakdown"], "strong", 1),
    ],
)
def test_fail_on(haechi: Haechi, some: Some, outcomes: list[str], fail_on: str, code: int) -> None:
    assert haechi("check", "--fail-on", fail_on, *some(*outcomes)).code == code


@pytest.mark.parametrize(
    "args",
    [
        ["check"],
        ["check", "--format", "xml", "a"],
        ["check", "--lang", "fr", "a"],
        ["check", "--fail-on", "none", "a"],
        ["check", "--nonsense", "a"],
        ["check", "--format", "html", "a", "b"],
        ["check", "--out", "o", "a"],
        ["check", "--format", "jsonl", "--out", "o", "a"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_2(
    haechi: Haechi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = haechi(*args)
    assert (run.code, run.out) == (2, "")
    assert run.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tag", ["ko", "ko-KR", "KO_kr.UTF-8"])
def test_a_language_may_be_given_as_a_tag(
    haechi: Haechi, some: Some, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    (path,) = some("strong")
    assert "이며 확정은 아닙니다" in haechi("check", "--lang", tag, path).out
    monkeypatch.setenv("HAECHI_LANG", tag)
    assert "이며 확정은 아닙니다" in haechi("check", path).out
    assert "This is evidence, not proof." in haechi("check", "--lang", "en-GB", path).out


@pytest.mark.parametrize("value", ["many", "-1", "nan"])
def test_a_wrong_setting_is_wrong_usage(
    haechi: Haechi, some: Some, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HAECHI_DECODE_TIMEOUT_S", value)
    run = haechi("check", *some("none"))
    assert run.code == 2
    assert "decode_timeout_s" in run.err.lower()


def test_html_of_one_input_goes_to_stdout(haechi: Haechi, some: Some) -> None:
    run = haechi("check", "--format", "html", *some("strong"))
    assert (run.code, run.err) == (0, "")
    assert run.out.lower().startswith("<!doctype html>")
    assert "data:image/" in run.out


@pytest.mark.parametrize("form", ["html", "json"])
def test_out_writes_one_file_an_input_and_overwrites_none_of_them(
    haechi: Haechi, tmp_path: Path, form: str
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        picture(tmp_path / folder / "same.png", "strong" if folder == "a" else "none")
    out = tmp_path / "new" / "folder"
    paths = [tmp_path / folder / "same.png" for folder in "ab"]
    for _ in range(2):  # a second run replaces the files of the first
        run = haechi("check", "--format", form, "--out", out, *paths)
        assert (run.code, run.out) == (0, "")
        names = sorted(path.name for path in out.iterdir())
        assert names[1] == f"same.png.{form}"
        assert re.fullmatch(rf"same\.png-[0-9a-f]{{8}}\.{form}", names[0])
        if os.name == "posix":  # there may be pictures of a person in them
            assert {(out / name).stat().st_mode & 0o777 for name in names} == {0o600}
            (out / names[0]).chmod(0o644)
    if form == "json":
        levels = [json.loads((out / name).read_text(encoding="utf-8"))["verdict"]["level"] for name in names]
        assert levels == ["none", "strong"]


def test_out_that_is_a_file_is_wrong_usage(haechi: Haechi, some: Some, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    assert haechi("check", "--format", "html", "--out", tmp_path / "taken", *some("none")).code == 2


def test_quiet_leaves_only_errors_on_stderr(haechi: Haechi, some: Some, tmp_path: Path) -> None:
    args = ("check", "-q", "--format", "html", "--out", tmp_path / "out")
    assert haechi(*args, *some("none")).err == ""
    assert len(haechi(*args, *some("none", "missing")).err.splitlines()) == 1


HOSTILE_NAME = "a\nhaechi: none\r\x1b[31m\u202egnp.\u2028.png"


@pytest.mark.parametrize("form", ["text", "jsonl", "html"])
def test_a_name_cannot_forge_lines_or_move_the_cursor(haechi: Haechi, tmp_path: Path, form: str) -> None:
    hostile = picture(tmp_path / HOSTILE_NAME, "none")
    run = haechi("check", "--format", form, hostile)
    assert run.code == 0
    assert not {"\r", "\x1b", "\u202e", "\u2028"} & set(run.out)
    if form == "jsonl":
        assert len(run.out.splitlines()) == 1
    missing = haechi("check", "--format", form, tmp_path / ("x" + HOSTILE_NAME))
    assert len(missing.err.splitlines()) == 1
    assert not {"\r", "\x1b", "\u202e", "\u2028"} & set(missing.err)


def test_hostile_names_become_harmless_files(haechi: Haechi, tmp_path: Path) -> None:
    names = [HOSTILE_NAME, "x" * 250 + ".png", b"\xff\xfe.png".decode(errors="surrogateescape"), "-q.png"]
    paths = [picture(tmp_path / name, "none") for name in names[1:] + names[:1]]
    run = haechi("check", "--format", "html", "--out", tmp_path / "out", "--", *paths)
    assert run.code == 0
    written = list((tmp_path / "out").iterdir())
    assert len(written) == len(names)
    assert all(path.name.isprintable() and path.suffix == ".html" for path in written)


def test_printable_shows_what_would_deceive() -> None:
    assert terminal.printable("a\n\x1b[0m\u202e\ud800") == "a\\n\\x1b[0m\\u202e\\ud800"
    assert terminal.printable("사진 照片 é 😀.jpg") == "사진 照片 é 😀.jpg"


def test_missing_models_are_exit_4_and_never_a_verdict(some: Some, tmp_path: Path) -> None:
    environment = os.environ | {"HAECHI_MODELS_DIR": str(tmp_path)}
    command = [*HAECHI, "check", "--format", "jsonl", *map(str, some("none", "strong"))]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (4, "")
    assert re.fullmatch(r"haechi: The model 'faces' is missing\. Reinstall.*\n", run.stderr)


def test_version_and_help(haechi: Haechi) -> None:
    assert re.fullmatch(r"haechi \d+\.\d+\.\d+\S*\n", haechi("--version").out)
    helped = haechi("check", "--help").out
    assert all(
        word in helped for word in ("--format", "--out", "--fail-on", "--lang", "--quiet", "Exit codes")
    )


def test_verbs_of_the_lab_say_how_to_get_it(haechi: Haechi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions.importlib.metadata, "entry_points", lambda **_: ())
    for words in (("train", "swap", "--data", "x"), ("bench", "speed", "--help")):
        run = haechi(*words)
        assert run.code == 2
        assert "pip install ./lab" in run.err


def test_a_lab_that_lacks_a_module_says_which(haechi: Haechi, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("train", "haechi_no_such_module:app", "haechi.commands")
    monkeypatch.setattr(extensions.importlib.metadata, "entry_points", lambda **_: (point,))
    run = haechi("train", "--help")
    assert run.code == 2
    assert "train needs haechi_no_such_module" in run.err


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="no pipes of this kind here")
def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"'{sys.executable}' -m haechi doctor | true; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode in (0, 141)
    assert run.stderr == ""


def test_the_bar_waits_and_needs_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for quiet, is_terminal, shown in [(False, True, True), (True, True, False), (False, False, False)]:
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal)
        bar = terminal.Bar(1, quiet=quiet)
        started: list[bool] = []
        monkeypatch.setattr(bar._timer, "function", lambda started=started: started.append(True))
        monkeypatch.setattr(bar._timer, "interval", 0.0)
        with bar:
            bar.tell("a", 0.5)
            if shown:
                bar._timer.join(5)
        assert bool(started) is shown


def test_shipped_models_through_the_real_command(shipped: Settings, astronaut: Path, tmp_path: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*HAECHI, *args], capture_output=True, text=True, check=False)

    checked = run("check", "--format", "json", str(astronaut))
    assert (checked.returncode, checked.stderr) == (0, "")
    jsonschema.validate(json.loads(checked.stdout), report.SCHEMA)
    assert run("models", "verify").returncode == 0
    listed = run("models")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in models.NAMES)


def test_a_folder_is_a_report_a_picture_and_a_summary(haechi: Haechi, tmp_path: Path) -> None:
    (tmp_path / "in" / "inner").mkdir(parents=True)
    picture(tmp_path / "in" / "b.png", "strong")
    (tmp_path / "in" / "note.txt").write_text("no picture")
    picture(tmp_path / "in" / "inner" / "a.png", "none").rename(tmp_path / "in" / "inner" / "a.dat")
    run = haechi("check", tmp_path / "in")
    assert run.code == 0
    assert run.out.index("b.png") < run.out.index("a.dat")
    assert "note.txt" not in run.out + run.err
    assert run.err.splitlines() == [
        "Files: 3",
        "         1  Strong signs",
        "         0  Some signs",
        "         1  No signs found",
        "         0  Cannot tell",
        "         1  Not a picture or video",
    ]
    assert haechi("check", "-q", tmp_path / "in").err == ""
    assert "文件数：3" in haechi("check", "--lang", "zh", tmp_path / "in").err


def test_a_folder_with_one_picture_is_a_list_in_json(haechi: Haechi, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture(tmp_path / "in" / "a.png", "some")
    (told,) = json.loads(haechi("check", "--format", "json", tmp_path / "in").out)
    assert told["verdict"]["level"] == "some"
    assert haechi("check", "--fail-on", "some", tmp_path / "in").code == 10


def test_what_is_broken_in_a_folder_is_told_and_is_exit_5(haechi: Haechi, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture(tmp_path / "in" / "a.png", "none")
    (tmp_path / "in" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
    run = haechi("check", "--format", "jsonl", tmp_path / "in")
    assert run.code == 5
    assert [line.get("error", {}).get("code") for line in run.lines] == [None, "damaged_file"]
    assert "1  Damaged" in run.err
    assert len(haechi("check", "--format", "jsonl", tmp_path / "in" / "*.png").lines) == 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_folder_without_a_picture_is_no_all_clear(haechi: Haechi, tmp_path: Path, form: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "note.txt").write_text("no picture")
    run = haechi("check", "--format", form, tmp_path / "in")
    assert (run.code, run.out) == (3, "")
    assert "no picture or video" in run.err


def test_a_pattern_that_nothing_matches_is_a_name_that_is_not_there(haechi: Haechi, tmp_path: Path) -> None:
    run = haechi("check", tmp_path / "*.jpg")
    assert (run.code, run.out) == (3, "")
    assert "no such file" in run.err
