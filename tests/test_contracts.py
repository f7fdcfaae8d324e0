"""Everything in the registry keeps its contract, with the shipped networks; what does not work is told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from contracts import ClaimContract, DetectorContract, clauses
from fakes import picture
from haechi import claims, detectors, registry
from haechi.errors import UsageError
from haechi.pipeline import Pipeline, PipelineConfig
from haechi.registry import Entry
from haechi.report import to_dict
from haechi.settings import Settings
from haechi.types import Evidence, FaceTrack, Media
from standins import rated

DETECTORS, CLAIMS = detectors.entries(), claims.entries()


def named(entry: Entry) -> str:
    return entry.name


@pytest.fixture(scope="module")
def prior() -> Callable[[Media, tuple[FaceTrack, ...]], Mapping[str, Evidence]]:
    made = {d.name: d for d in detectors.build(Settings(threads=1))}

    def of(source: Media, tracks: tuple[FaceTrack, ...]) -> Mapping[str, Evidence]:
        out: dict[str, Evidence] = {}
        for name, detector in made.items():
            if not detector.needs:
                out[name] = detector.examine(source, tracks, rated(*tracks), {})
        return out

    return of


@pytest.mark.parametrize("clause", clauses(DetectorContract))
@pytest.mark.parametrize("entry", DETECTORS, ids=named)
def test_every_detector_keeps_the_contract(
    entry: Entry, clause: str, prior: Callable[[Media, tuple[FaceTrack, ...]], Mapping[str, Evidence]]
) -> None:
    made = {d.name: d for d in detectors.build(Settings(threads=1))}
    getattr(DetectorContract(made[entry.name], prior), clause)()


@pytest.mark.parametrize("clause", clauses(ClaimContract))
@pytest.mark.parametrize("entry", CLAIMS, ids=named)
def test_every_claim_keeps_the_contract(entry: Entry, clause: str) -> None:
    made = {r.name: r for r in claims.build(Settings())}
    getattr(ClaimContract(made[entry.name]), clause)()


def test_the_contract_is_one_that_can_be_broken() -> None:
    class Silent:
        name, version, needs = "silent", "1", ()

        def examine(self, *_: object) -> Evidence:
            return Evidence("another", "1", "scored", float("nan"), None)  # type: ignore[arg-type]

    for clause in set(clauses(DetectorContract)) - {"says_the_same_twice", "scores_a_batch_as_one_by_one"}:
        with pytest.raises((AssertionError, AttributeError)):
            getattr(DetectorContract(Silent()), clause)()


def test_a_detector_comes_after_those_that_it_needs_and_not_without_them() -> None:
    made = detectors.build(Settings(threads=1))
    for number, detector in enumerate(made):
        assert set(detector.needs) <= {d.name for d in made[:number]}
    with pytest.raises(UsageError, match="'flicker' reads what 'swap' says"):
        detectors.build(Settings(threads=1), ["flicker"])
    with pytest.raises(UsageError, match="no detector 'nobody': choose from swap"):
        detectors.build(Settings(threads=1), ["nobody"])


BROKEN = {
    "absent": ("nowhere_at_all:Detector", "ModuleNotFoundError"),
    "empty": ("broken_package:Missing", "AttributeError"),
    "raising": ("broken_package:Raising", "ZeroDivisionError"),
    "renamed": ("broken_package:Renamed", "NameDiffers"),
    "lonely": ("broken_package:Lonely", "NeedsMissing"),
    "swap": ("broken_package:Raising", "ZeroDivisionError"),
}
SOURCE = """
class Raising:
    def __init__(self, settings):
        1 / 0

class Renamed:
    name, version, needs = "swap", "1", ()
    def __init__(self, settings): ...

class Lonely:
    name, version, needs = "lonely", "1", ("nobody",)
    def __init__(self, settings): ...
"""


@pytest.fixture
def broken_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package.py").write_text(SOURCE)
    info = tmp_path / "broken_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-package\nVersion: 1\n")
    points = "\n".join(f"{name} = {target}" for name, (target, _) in BROKEN.items())
    (info / "entry_points.txt").write_text(f"[haechi.detectors]\n{points}\n[haechi.claims]\n{points}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "broken_package", raising=False)


@pytest.mark.usefixtures("broken_package")
def test_what_another_package_breaks_is_failed_by_name_and_changes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = picture(tmp_path / "a.png", "none")
    report = Pipeline(Settings(threads=1)).check(source)
    expected = {
        ("broken-package." if name == "swap" else "") + name: why for name, (_, why) in BROKEN.items()
    }
    failed = {e.detector: e.reason for e in report.evidence if e.status == "failed"}
    assert {name: reason.params["error"] for name, reason in failed.items()} == expected
    assert all(reason.params["package"] == "broken-package" for reason in failed.values())
    unread = {c.source for c in report.claims if c.outcome == "failed"}
    assert unread == set(expected), "lonely is no claim at all, and is told too"
    told = " ".join(to_dict(report)["not_tested"])
    assert "The add-on raising of the package broken-package does not work (ZeroDivisionError)" in told
    assert "update that package, or remove it" in told
    monkeypatch.setattr(registry, "plugins", lambda _group: ())
    assert Pipeline(Settings(threads=1)).check(source).verdict == report.verdict


@pytest.mark.usefixtures("broken_package")
def test_who_chooses_detectors_is_not_met_by_those_of_other_packages(tmp_path: Path) -> None:
    config = PipelineConfig(Settings(threads=1), detectors=("swap", "synthesis", "flicker"), claims=())
    report = Pipeline(config).check(picture(tmp_path / "a.png", "none"))
    assert not [e for e in report.evidence if e.status == "failed"]
    assert report.claims == ()
