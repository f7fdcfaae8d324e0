"""The newcomer's exercise in CONTRIBUTING.md works as it stands there: inside the house and from outside."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import ClaimContract, DetectorContract, clauses
from haechi import claims, detectors, registry
from haechi.pipeline import Pipeline
from haechi.registry import Entry
from haechi.report import to_dict
from haechi.settings import Settings

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
DETECTOR, DETECTOR_LINE, CLAIM, CLAIM_LINE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PROJECT,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SETTINGS = Settings(threads=1)


def line(source: str) -> Entry:
    entry = eval(source, {"Entry": Entry})
    assert isinstance(entry, Entry)
    return entry


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The two files among the shipped ones, and their lines in the registry."""
    for package, name, source in (("detectors", "redness", DETECTOR), ("claims", "length", CLAIM)):
        folder = tmp_path / package
        folder.mkdir()
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        module = importlib.import_module(f"haechi.{package}")
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder)])
    monkeypatch.setattr(registry, "DETECTORS", (*registry.DETECTORS, line(DETECTOR_LINE)))
    monkeypatch.setattr(registry, "CLAIMS", (*registry.CLAIMS, line(CLAIM_LINE)))
    yield
    for package, name in (("detectors", "redness"), ("claims", "length")):
        sys.modules.pop(f"haechi.{package}.{name}", None)
        vars(sys.modules[f"haechi.{package}"]).pop(name, None)


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The two files in an installed package of somebody else's."""
    package = tmp_path / "haechi_toys"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "redness.py").write_text(DETECTOR, encoding="utf-8")
    (package / "length.py").write_text(CLAIM, encoding="utf-8")
    info = tmp_path / "haechi_toys-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: haechi-toys\nVersion: 1\n")
    groups = tomllib.loads(PROJECT)["project"]["entry-points"]
    points = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in of.items()) for group, of in groups.items()]
    (info / "entry_points.txt").write_text("\n".join(points))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [n for n in sys.modules if n.startswith("haechi_toys")]:
        del sys.modules[name]


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_the_toys_are_in_the_registry_and_keep_their_contracts(
    where: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(where)
    assert detectors.entries()[-1].name == "redness"
    assert claims.entries()[-1].name == "length"
    (detector,) = detectors.build(SETTINGS, ["redness"])
    (reader,) = claims.build(SETTINGS, ["length"])
    for clause in clauses(DetectorContract):
        getattr(DetectorContract(detector), clause)()
    for clause in clauses(ClaimContract):
        getattr(ClaimContract(reader), clause)()


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_what_the_toys_say_is_in_the_report_in_every_language_and_is_not_weighed(
    where: str, request: pytest.FixtureRequest, astronaut: Path
) -> None:
    before = Pipeline(SETTINGS).check(astronaut)
    request.getfixturevalue(where)
    report = Pipeline(SETTINGS).check(astronaut)
    assert report.verdict == before.verdict
    assert report.evidence[-1].status == "scored"
    for lang, words in (("en", "A toy"), ("zh", "没有意义"), ("ko", "의미는 없습니다")):
        told = to_dict(report, lang)
        assert words in next(e["reason"] for e in told["evidence"] if e["detector"] == "redness")
        assert str(astronaut.stat().st_size) in told["claims"][-1]["reason"]
