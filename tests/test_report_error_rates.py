"""Beside how often genuine pictures alarm stands how often forgeries are missed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from haechi.report import LANGUAGES, to_dict
from haechi.report.error_rates import hits
from haechi.report.messages import sentence
from haechi.types import Level, ModelRef, Reason, Report
from report_cases import clean, nothing, photo


def measured(report: Report, level: Level | None = None, jpeg_quality: int | None = 92) -> Report:
    def share(clean: float, jpeg40: float) -> dict[str, Any]:
        return {"clean": {"value": clean}, "jpeg40": {"value": jpeg40}}

    figures = {
        "found_some": {"changed": share(0.62, 0.55), "drawn": share(0.7, 0.6)},
        "found_strong": {"changed": share(0.3, 0.2), "drawn": share(0.4, 0.1)},
    }
    return replace(
        report,
        models=(ModelRef("verdict", "1", "a3" * 32, figures),),
        verdict=replace(report.verdict, level=level or report.verdict.level),
        quality=replace(report.quality, jpeg_quality=jpeg_quality),
    )


@pytest.mark.parametrize(
    ("level", "jpeg_quality", "code", "changed", "drawn"),
    [
        ("none", 92, "forgeries_missed", 38, 30),
        ("none", None, "forgeries_missed", 38, 30),
        ("none", 35, "forgeries_missed", 45, 40),
        ("some", 92, "forgeries_found", 62, 70),
        ("strong", 35, "forgeries_found", 20, 10),
    ],
)
def test_the_figures_are_those_of_the_level_and_the_compression(
    level: Level, jpeg_quality: int | None, code: str, changed: int, drawn: int
) -> None:
    assert hits(measured(clean(), level, jpeg_quality)) == Reason(code, {"changed": changed, "drawn": drawn})


def test_an_all_clear_says_at_once_how_often_it_is_wrong() -> None:
    codes = to_dict(measured(clean()))["verdict"]["reason_codes"]
    assert codes[:2] == ["level_none", "forgeries_missed"]
    for lang in LANGUAGES:
        text = sentence(hits(measured(clean())) or Reason(""), lang)
        assert "38" in text
        assert "30" in text


def test_nothing_is_said_where_nothing_was_measured_or_judged() -> None:
    assert hits(photo()) is None
    assert hits(measured(nothing())) is None
