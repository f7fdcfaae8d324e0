"""Claims as a stage of the check: shown, never weighed, and never the end of a report."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import haechi
from fakes import FakeDetector, finder, judges, picture
from haechi import claims
from haechi.claims import ClaimReader, Subject
from haechi.errors import DamagedFile
from haechi.media import open_media
from haechi.media.original import Changed, Original
from haechi.pipeline import Pipeline, PipelineConfig
from haechi.report.messages import catalogue
from haechi.settings import LANGUAGES, Settings
from haechi.stages import Judges
from haechi.types import Claim, Reason

SETTINGS = Settings()


@dataclass
class FakeClaim:
    """Says what it is told to, after doing what it is told to."""

    name: str = "metadata"
    error: Exception | None = None
    silent: bool = False
    before: Callable[[Subject], object] = lambda _subject: None
    version: str = "7"

    def state(self, subject: Subject) -> Claim | None:
        self.before(subject)
        if self.error is not None:
            raise self.error
        return None if self.silent else Claim(self.name, self.version, Reason("metadata_none"))


def checker(*claims: ClaimReader) -> Pipeline:
    def with_claims(config: PipelineConfig) -> Judges:
        made = judges(FakeDetector("swap"))(config)
        return Judges(made.assess, made.detectors, made.decide, made.models, claims)

    return Pipeline(SETTINGS, finder=finder, judges=with_claims)


def test_every_shipped_claim_is_named_in_words() -> None:
    for lang in LANGUAGES:
        for name in (reader.name for reader in claims.build(SETTINGS)):
            assert f"name_{name}" in catalogue(lang)


def test_claims_follow_the_evidence_and_leave_the_verdict_as_it_was(tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", "strong")
    without, with_one = checker().check(source), checker(FakeClaim()).check(source)
    assert [e.detector for e in with_one.evidence] == ["swap"]
    assert [c.source for c in with_one.claims] == ["metadata"]
    assert with_one.verdict == without.verdict
    assert with_one.evidence == without.evidence
    assert "claims" in with_one.stages_s


@pytest.mark.parametrize("error", [RuntimeError("secret.png"), DamagedFile("secret.png"), MemoryError()])
def test_a_claim_that_breaks_down_is_shown_as_failed_and_changes_no_verdict(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    caplog.set_level(logging.DEBUG, "haechi")
    source = picture(tmp_path / "secret.png", "none")
    report = checker(FakeClaim("provenance", error), FakeClaim()).check(source)
    failed, said = report.claims
    assert (failed.source, failed.outcome, failed.reason.code) == ("provenance", "failed", "claim_failed")
    assert failed.reason.params["error"] == type(error).__name__
    assert said.outcome == "answered"
    assert report.verdict == checker().check(source).verdict
    assert "secret" not in caplog.text


def test_a_claim_may_have_nothing_to_say(tmp_path: Path) -> None:
    report = checker(FakeClaim(silent=True)).check(picture(tmp_path / "a.png", "none"))
    assert report.claims == ()


def test_claims_read_what_was_given_be_it_a_file_or_bytes(tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", "none")
    read: list[bytes] = []

    def note(subject: Subject) -> None:
        with subject.original.open() as file:
            read.append(file.read())

    one = checker(FakeClaim(before=note))
    one.check(source)
    one.check(source.read_bytes())
    one.check(source)
    assert read == [source.read_bytes()] * 3


@pytest.mark.parametrize("how", ["changed", "replaced", "gone", "pipe"])
def test_a_file_that_changes_meanwhile_is_not_spoken_of(tmp_path: Path, how: str) -> None:
    source = picture(tmp_path / "a.png", "strong")

    def meddle(_subject: Subject) -> None:
        data = source.read_bytes()
        if how == "changed":
            source.write_bytes(data + b"x")
            return
        source.unlink()
        if how == "replaced":
            (tmp_path / "b.png").write_bytes(data)
            (tmp_path / "b.png").rename(source)
        elif how == "pipe":
            os.mkfifo(source)

    def read(subject: Subject) -> None:
        meddle(subject)
        assert subject.metadata.readable

    report = checker(FakeClaim(before=read)).check(source)
    assert [c.reason.code for c in report.claims] == ["claim_changed"]
    assert report.verdict.level == "strong"


def test_a_file_that_changes_while_it_is_read_is_not_spoken_of(tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", "none")
    original = Original.of(source)
    reading = original.open()
    reading.__enter__().read(10)
    source.write_bytes(b"another")
    with pytest.raises(Changed, match="check it again"):
        reading.__exit__(None, None, None)


def test_the_shipped_claims_leave_the_shipped_verdict_alone(astronaut: Path, shipped: Settings) -> None:
    bare = Pipeline(PipelineConfig(shipped, claims=())).check(astronaut)
    whole = haechi.check(astronaut, shipped)
    assert whole.verdict == bare.verdict
    assert [c.source for c in whole.claims] == ["provenance", "metadata"]
    assert [e.llr for e in whole.evidence] == [e.llr for e in bare.evidence]


def test_the_notes_are_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = picture(tmp_path / "a.png", "none")
    opened: list[int] = []
    whole = Original.open
    monkeypatch.setattr(Original, "open", lambda self: opened.append(1) or whole(self))
    subject = Subject(Original.of(source), open_media(source, SETTINGS))
    assert subject.metadata is subject.metadata
    assert opened == [1]
