"""The whole program gives the scores that it gave (``scores.json``): reports, not networks alone."""

from __future__ import annotations

import json

import pytest
from tests import scores


@pytest.mark.slow
def test_scores_are_those_of_the_table() -> None:
    """To 1e-4: on another processor the runtime takes other kernels. ``python -m tests.scores --exact`` asks
    for equality."""
    table = json.loads(scores.FILE.read_text(encoding="utf-8"))
    assert sum(v is not None for row in table.values() for v in row.values()) >= 300
    for name, row in scores.measure():
        expected = {k: v if v is None else pytest.approx(v, abs=1e-4) for k, v in table[name].items()}
        assert row == expected, name
