"""What ``import haechi`` gives: these names, each explained, and reports that tell themselves."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import haechi
from fakes import finder, judges, picture
from haechi.errors import UsageError
from haechi.report import SCHEMA, archive
from haechi.settings import LANGUAGES
from report_cases import CASES

NAMES = {
    *("check", "Report", "Pipeline", "PipelineConfig", "Settings", "__version__"),
    *("HaechiError", "UsageError", "InputError", "NotAFile", "UnknownFormat", "DamagedFile", "OverLimit"),
    "ModelError",
}


def report_of(source: Path, **more: bool) -> haechi.Report:
    return haechi.Pipeline(haechi.Settings(), finder=finder, judges=judges()).check(source, **more)


def test_the_public_names_are_these_and_each_is_explained() -> None:
    assert set(haechi.__all__) == NAMES
    assert set(haechi.__all__) <= set(dir(haechi))
    for name in NAMES - {"__version__"}:
        value = getattr(haechi, name)
        assert vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__, name
    assert haechi.__version__.count(".") == 2


def test_public_methods_are_explained_and_typed() -> None:
    for kind in (haechi.Pipeline, haechi.PipelineConfig, haechi.Report, haechi.Settings):
        for name, method in vars(kind).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                assert method.__doc__, f"{kind.__name__}.{name}"
                assert "return" in method.__annotations__, f"{kind.__name__}.{name}"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        _ = haechi.chek


def test_the_import_loads_nothing_heavy() -> None:
    code = "import haechi, sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "cv2", "PIL", "onnxruntime", "rich", "jinja2"} & set(run.stdout.split())


def test_a_report_tells_itself(tmp_path: Path) -> None:
    report = report_of(picture(tmp_path / "a.png", "strong"), previews=True)
    for lang in LANGUAGES:
        told = report.to_dict(lang)
        jsonschema.validate(told, SCHEMA)
        assert told["lang"] == lang
        assert told == json.loads(report.to_json(lang)) == json.loads(report.to_json(lang, indent=2))
        assert report.to_json(lang).count("\n") == 0
        assert report.sentence(lang) == told["verdict"]["sentence"]
        assert report.reasons(lang) == told["verdict"]["reasons"]
        assert report.say(report.evidence[0].reason, lang) == told["evidence"][0]["reason"]
        page = report.to_html(lang)
        assert report.sentence(lang) in page
        assert "data:image/" in page


def test_a_language_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    report = report_of(picture(tmp_path / "a.png", "strong"))
    for tell in (report.to_dict, report.to_json, report.to_html, report.sentence):
        with pytest.raises(UsageError, match="choose one of en, zh, ko"):
            tell("xx")


def test_two_checks_of_one_file_are_equal_and_of_two_are_not(tmp_path: Path) -> None:
    one, other = (picture(tmp_path / f"{says}.png", says) for says in ("strong", "none"))
    first, again, different = report_of(one), report_of(one), report_of(other)
    assert first == again
    assert hash(first) == hash(again)
    assert first.elapsed_s != again.elapsed_s
    assert first != different
    assert {first, again, different} == {first, different}


def test_a_report_is_short_when_printed(tmp_path: Path) -> None:
    assert repr(report_of(picture(tmp_path / "a.png", "strong"))) == (
        "Report('a.png', level='strong', score=0.5, faces=1)"
    )


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_stored_report_comes_back_as_one_that_tells_itself(name: str) -> None:
    loaded = archive.load(archive.dump(CASES[name]()))
    assert isinstance(loaded, haechi.Report)
    assert loaded == archive.load(archive.dump(loaded), previews=True) or loaded.previews
    assert loaded.to_dict() == CASES[name]().to_dict()
