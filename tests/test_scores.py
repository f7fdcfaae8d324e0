"""The whole program gives the scores that it gave (``scores.json``): reports, not networks alone."""

from __future__ import annotations

import json

import pytest
from tests import scores

TOLERANCE = {"swap": 1e-4, "flicker": 1e-4, "synthesis": 1e-3, "verdict": 1e-3}


@pytest.mark.slow
def test_scores_are_those_of_the_table() -> None:
    """To TOLERANCE: on another processor the runtime takes other kernels. ``python -m tests.scores --exact``
    asks for equality."""
    table = json.loads(scores.FILE.read_text(encoding="utf-8"))
    assert sum(v is not None for row in table.values() for v in row.values()) >= 300
    for name, row in scores.measure():
        expected = {k: v if v is None else pytest.approx(v, abs=TOLERANCE[k]) for k, v in table[name].items()}
        assert row == expected, name
